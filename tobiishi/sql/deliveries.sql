-- name: claim^
-- The friend and the journey are read, and locked, in the statement that claims the row: a friend
-- who blocked a moment ago gets nothing. A row claimed before is claimed again by the retry.
-- Lock order: the friend before the journey, against deadlocks.
with standing as (
    select
        case
            when journeys.stopping is not null then 'journey ' || journeys.stopping
            when journeys.ended_at is not null then 'journey ' || journeys.outcome
            when friends.status <> 'following' then 'friend has blocked the channel'
            -- Such as a group's, which former releases took: all of the group would read it.
            when friend !~ '^U[0-9a-f]{32}$' then 'not the id of a friend'
        end as barred
    from friends join journeys using (channel, friend)
    where journeys.id = :journey_id
    for share
)
insert into deliveries
    (retry_key, journey_id, channel, friend, step, visit, message, claimed_at, asking_at, status,
    reason)
select
    :retry_key, :journey_id, :channel, :friend, :step, :visit, :message, :at, :at,
    case when barred is null then 'claimed' else 'skipped' end, barred
from standing
on conflict (retry_key) do update set
    attempts = deliveries.attempts + 1,
    asking_at = excluded.asking_at,
    -- An attempt that nobody kept the outcome of may have sent it: its worker died.
    ambiguous_at = coalesce(deliveries.ambiguous_at, deliveries.asking_at),
    -- An earlier attempt of unknown outcome makes a barred delivery unknown, not skipped.
    status = case
        when deliveries.status <> 'claimed' then deliveries.status
        when excluded.status = 'claimed' then 'claimed'
        when coalesce(deliveries.ambiguous_at, deliveries.asking_at) is not null then 'unknown'
        else 'skipped'
    end,
    reason = case when deliveries.status = 'claimed' then excluded.reason else deliveries.reason end
returning *;

-- name: settle!
-- A clear answer counts even where the journey ended while it was awaited.
update deliveries
set status = :status, reason = :reason, settled_at = :at,
    request_id = :request_id, message_ids = :message_ids
where retry_key = :retry_key
    and (status = 'claimed' or (status = 'unknown' and :status = 'sent'));

-- name: record_failed_attempt!
update deliveries
set reason = :reason,
    asking_at = null,
    ambiguous_at = case when :ambiguous then coalesce(ambiguous_at, :at) else ambiguous_at end
where retry_key = :retry_key and status = 'claimed';

-- name: keep_traces!
update deliveries set postbacks = :postbacks, videos = :videos where retry_key = :retry_key;

-- name: with_postback^
-- Perhaps still being sent: a friend is quick, and LINE's answer to us may be lost.
select journeys.scenario, deliveries.message, deliveries.retry_key
from deliveries join journeys on journeys.id = deliveries.journey_id
where deliveries.channel = :channel and deliveries.friend = :friend
    and deliveries.status in ('claimed', 'sent', 'unknown')
    and :data = any(deliveries.postbacks)
order by deliveries.claimed_at desc limit 1;

-- name: with_video^
select journeys.scenario, deliveries.message, deliveries.retry_key
from deliveries join journeys on journeys.id = deliveries.journey_id
where deliveries.channel = :channel and deliveries.friend = :friend
    and deliveries.status in ('claimed', 'sent', 'unknown')
    and :tracking_id = any(deliveries.videos)
order by deliveries.claimed_at desc limit 1;

-- name: quoted^
select journeys.scenario, deliveries.message, deliveries.retry_key
from deliveries join journeys on journeys.id = deliveries.journey_id
where deliveries.channel = :channel and deliveries.friend = :friend
    and :message_id = any(deliveries.message_ids)
order by deliveries.claimed_at desc limit 1;

-- name: latest_before^
select journeys.scenario, deliveries.message, deliveries.retry_key
from deliveries join journeys on journeys.id = deliveries.journey_id
where deliveries.channel = :channel and deliveries.friend = :friend
    and deliveries.status = 'sent'
    and deliveries.claimed_at between :earliest and :at
order by deliveries.claimed_at desc limit 1;

-- name: to_look_at
-- The latest first; on from where a page ended.
select deliveries.*, journeys.scenario, journeys.entry
from deliveries join journeys on journeys.id = deliveries.journey_id
where deliveries.channel = :channel and deliveries.status = :status
    and (
        cast(:after as uuid) is null
        or (deliveries.claimed_at, deliveries.retry_key) < (
            select claimed_at, retry_key from deliveries where retry_key = cast(:after as uuid)
        )
    )
order by deliveries.claimed_at desc, deliveries.retry_key desc
limit :limit;

-- name: of_journey
select * from deliveries where journey_id = :journey_id order by claimed_at, step;
