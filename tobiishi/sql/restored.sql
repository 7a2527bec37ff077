-- name: is_next$
select true from journeys
where id = :journey_id and ended_at is null
    and next_action is not distinct from cast(:action as text)
    and next_step is not distinct from cast(:step as text)
for update;

-- name: adopt$
-- A row of the same entry, or another one under way, was made after an older database was restored:
-- Temporal runs one journey of a friend through a scenario, and this is it.
with same as (
    select id from journeys
    where channel = :channel and scenario = :scenario and friend = :friend
        and (entry = :entry or ended_at is null)
    order by ended_at is null desc
    limit 1
), taken_over as (
    update journeys
    set version = :version, entry = :entry, started_at = :started_at, why = :why,
        ended_at = null, outcome = null
    from same where journeys.id = same.id
    returning journeys.id
), added as (
    insert into journeys (channel, scenario, version, friend, entry, why, started_at)
    select :channel, :scenario, :version, :friend, :entry, :why, :started_at
    where not exists (select from same)
    returning id
), started as (
    -- It runs: nobody is to start it.
    delete from outbox using taken_over
    where outbox.journey_id = taken_over.id and kind = 'start'
)
select id from taken_over union all select id from added;
