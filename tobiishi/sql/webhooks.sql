-- name: keep
with kept as (
    insert into webhook_events
        (channel, webhook_event_id, type, friend, occurred_at, received_at, body)
    select * from unnest(
        :channels::text[], :ids::text[], :types::text[], :friends::text[], :times::timestamptz[],
        :received::timestamptz[], :bodies::json[]
    )
    on conflict do nothing
    returning channel
)
select channel, count(*) as new from kept group by channel;

-- name: take
select channel, webhook_event_id, type, friend, occurred_at, received_at, body, attempts
from webhook_events
where handled_at is null and retry_at <= :now
order by received_at, occurred_at
limit :limit
for update skip locked;

-- name: handled!
update webhook_events set handled_at = :now, error = null
where channel = :channel and webhook_event_id = :webhook_event_id;

-- name: postpone!
update webhook_events set attempts = :attempts, retry_at = :retry_at, error = :error
where channel = :channel and webhook_event_id = :webhook_event_id;

-- name: written_by
select webhook_event_id, body from webhook_events
where channel = :channel and friend = :friend and type = 'message';

-- name: rewrite!
update webhook_events set body = :body
where channel = :channel and webhook_event_id = :webhook_event_id;
