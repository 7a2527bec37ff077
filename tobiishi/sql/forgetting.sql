-- name: ask!
insert into forgettings (channel, friend, asked_at) values (:channel, :friend, :at)
on conflict do nothing;

-- name: is_asked$
select true from forgettings where channel = :channel and friend = :friend;

-- name: take
select channel, friend, attempts from forgettings
where retry_at <= :now
order by asked_at
limit :limit
for update skip locked;

-- name: postpone!
update forgettings set attempts = :attempts, retry_at = :retry_at, error = :error
where channel = :channel and friend = :friend;

-- name: orders_off!
-- What Temporal is just being told is waited for; then it is told nothing more.
delete from outbox using journeys
where outbox.journey_id = journeys.id and channel = :channel and friend = :friend;

-- name: scenarios_of
select distinct scenario from journeys where channel = :channel and friend = :friend;

-- name: prune_webhook_events$
with old as (
    delete from webhook_events where (channel, webhook_event_id) in (
        select channel, webhook_event_id from webhook_events
        where handled_at < :before order by handled_at limit :limit
    ) returning 1
)
select count(*) from old;

-- name: prune_site_events$
with old as (
    delete from events where id in (
        select id from events where source = 'site' and occurred_at < :before
        order by occurred_at limit :limit
    ) returning 1
)
select count(*) from old;
