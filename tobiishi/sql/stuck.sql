-- name: look_up
-- Page by page, in the order of their keys; or the one of that key.
with stuck as (
    select 'webhook_events' as queue, webhook_event_id as id, channel, friend, type as what,
        attempts, received_at as since, retry_at, error
    from webhook_events where handled_at is null
    union all
    select 'audience_changes', id::text, channel, friend, trim(change || ' ' || audience),
        attempts, changed_at, retry_at, error
    from audience_changes
    union all
    select 'pending_entries', id::text, channel, friend, 'enters ' || scenario,
        attempts, since, retry_at, error
    from pending_entries
    union all
    select 'outbox', outbox.id::text, channel, friend, kind || ' ' || scenario,
        attempts, ordered_at, retry_at, error
    from outbox join journeys on journeys.id = journey_id
    union all
    select 'enrolments', id::text, channel, null, audience || ' into ' || scenario,
        attempts, started_at, retry_at, error
    from enrolments where not told
    union all
    select 'forgettings', friend, channel, friend, 'is to be forgotten',
        attempts, asked_at, retry_at, error
    from forgettings
)
select queue, id, channel, friend, what, attempts, since, error, queue || '/' || id as key,
    nullif(retry_at, '-infinity') as retry_at
from stuck
where channel = :channel and attempts >= :stuck_after
    and (cast(:key as text) is null or queue || '/' || id = :key)
    and (queue || '/' || id) collate "C" > :after
order by (queue || '/' || id) collate "C"
limit :limit;

-- name: retry_webhook_event!
update webhook_events set retry_at = '-infinity'
where channel = :channel and webhook_event_id = :id;

-- name: retry_audience_change!
update audience_changes set retry_at = '-infinity' where channel = :channel and id::text = :id;

-- name: retry_pending_entry!
update pending_entries set retry_at = '-infinity' where channel = :channel and id::text = :id;

-- name: retry_outbox_entry!
update outbox set retry_at = '-infinity'
from journeys
where journeys.id = journey_id and channel = :channel and outbox.id::text = :id;

-- name: retry_enrolment!
update enrolments set retry_at = '-infinity' where channel = :channel and id::text = :id;

-- name: retry_forgetting!
update forgettings set retry_at = '-infinity' where channel = :channel and friend = :id;

-- name: drop_webhook_event$
-- It stays, as one that was handled, until it is pruned.
update webhook_events set handled_at = :now, error = 'dropped: ' || coalesce(error, '')
where channel = :channel and webhook_event_id = :id and handled_at is null
returning true;

-- name: drop_audience_change$
delete from audience_changes where channel = :channel and id::text = :id returning true;

-- name: drop_pending_entry$
delete from pending_entries where channel = :channel and id::text = :id returning true;

-- name: drop_outbox_entry^
delete from outbox using journeys
where journeys.id = journey_id and channel = :channel and outbox.id::text = :id
returning outbox.kind, journey_id;

-- name: give_up_journey!
-- Whatever runs of it in Temporal sends nothing more.
update journeys set stopping = 'stopped', stopping_because = :because
where id = :journey_id and ended_at is null and stopping is null;

-- name: drop_outbox_of!
delete from outbox where journey_id = :journey_id;

-- name: drop_enrolment$
update enrolments set told = true
where channel = :channel and id::text = :id and not told
returning true;
