-- name: claim^
-- Takes the delivery in hand, and answers all else that a send has to know: which row the journey has
-- now, by its identity, and what holds the send back. No row where there is no such journey.
--
-- The friend and the journey are read, and locked, in the statement that claims the row: a friend
-- who blocked a moment ago gets nothing. A row claimed before is claimed again by the retry.
-- Lock order: the friend before the journey, against deadlocks.
with standing as (
    select
        journeys.id as journey_id,
        case
            when journeys.stopping is not null then 'journey ' || journeys.stopping
            when journeys.ended_at is not null then 'journey ' || journeys.outcome
            when friends.status <> 'following' then 'friend has blocked the channel'
            -- Such as a group's, which former releases took: all of the group would read it.
            when friend !~ '^U[0-9a-f]{32}$' then 'not the id of a friend'
        end as barred
    from friends join journeys using (channel, friend)
    where channel = :channel and friend = :friend
        and scenario = :scenario and entry = :entry and started_at = :started_at
    for share
), hold as (
    -- A delivery that LINE may have accepted already is finished under its retry key, which LINE
    -- forgets after a day: no pause is worth not knowing.
    select * from holds
    where channel = :channel
        and (scope, name) in (('channel', ''), ('scenario', :scenario), ('friend', :friend))
        and (until is null or until > :at)
        and (kind = 'token' or not exists (
            select from deliveries
            where retry_key = :retry_key and status = 'claimed'
                and coalesce(ambiguous_at, asking_at) is not null
        ))
    order by since limit 1
), claimed as (
    insert into deliveries
        (retry_key, journey_id, channel, friend, step, visit, message, claimed_at, asking_at,
        status, reason)
    select
        :retry_key, journey_id, :channel, :friend, :step, :visit, :message, :at, :at,
        case when barred is null then 'claimed' else 'skipped' end, barred
    from standing where not exists (select from hold)
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
        reason = case
            when deliveries.status = 'claimed' then excluded.reason else deliveries.reason
        end
    returning *
)
select
    standing.journey_id as located,
    claimed.*,
    hold.kind as hold_kind, hold.scope as hold_scope, hold.name as hold_name,
    hold.reason as hold_reason, hold.since as hold_since, hold.until as hold_until
from standing left join claimed on true left join hold on true;

-- name: recipient^
-- The friend whom LINE is to be asked about, and the channel that asks.
select * from friends join channels using (channel) where channel = :channel and friend = :friend;

-- name: record_failed_attempt!
update deliveries
set reason = :reason,
    asking_at = null,
    ambiguous_at = case when :ambiguous then coalesce(ambiguous_at, :at) else ambiguous_at end
where retry_key = :retry_key and status = 'claimed';

-- name: keep_traces!
update deliveries set postbacks = :postbacks, videos = :videos where retry_key = :retry_key;

-- name: with_postback^
select scenario, message, retry_key from traced_deliveries
where channel = :channel and friend = :friend and :data = any(postbacks)
order by claimed_at desc limit 1;

-- name: with_video^
select scenario, message, retry_key from traced_deliveries
where channel = :channel and friend = :friend and :tracking_id = any(videos)
order by claimed_at desc limit 1;

-- name: quoted^
select scenario, message, retry_key from traced_deliveries
where channel = :channel and friend = :friend and :message_id = any(message_ids)
order by claimed_at desc limit 1;

-- name: latest_before^
select scenario, message, retry_key from traced_deliveries
where channel = :channel and friend = :friend and status = 'sent'
    and claimed_at between :earliest and :at
order by claimed_at desc limit 1;

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
