-- name: under_way
select 'journey/' || channel || '/' || scenario || '/' || friend as workflow_id, *
from journeys
where ended_at is null
    and (channel, scenario, friend) in (
        select split_part(id, '/', 2), split_part(id, '/', 3), split_part(id, '/', 4)
        from unnest(:ids::text[]) as id
    );

-- name: page_under_way
-- Those that Temporal should know: nothing about their start waits in the outbox.
select * from journeys
where id > :after and ended_at is null and started_at < :before
    and not exists (
        select from outbox where outbox.journey_id = journeys.id and outbox.kind = 'start'
    )
order by id
limit :limit;

-- name: is_being_forgotten$
select exists (select from forgettings where channel = :channel and friend = :friend);
