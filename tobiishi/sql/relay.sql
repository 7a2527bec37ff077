-- name: take_changes
select id, channel, audience, friend, change, changed_at, reason, attempts, journeys_told,
    change = 'joined' and exists (
        select 1 from scenarios join scenario_versions using (channel, scenario, version)
        where channel = audience_changes.channel and start_audience = audience_changes.audience
    ) as starts,
    exists (
        select 1 from audiences as combined
        where combined.channel = audience_changes.channel and kind = 'combined'
            and (change = 'known' or audience_changes.audience = any(parts))
    ) as is_part
from audience_changes
-- A friend's changes are followed one at a time, in their order. One that is stuck holds up those
-- of the same audience only.
where retry_at <= :now and not exists (
    select 1 from audience_changes as earlier
    where earlier.channel = audience_changes.channel
        and earlier.friend = audience_changes.friend
        and earlier.id < audience_changes.id
        and (earlier.audience = audience_changes.audience or not exists (
            select 1 from audience_changes as stuck
            where stuck.channel = earlier.channel and stuck.friend = earlier.friend
                and stuck.audience = earlier.audience and stuck.id <= earlier.id
                and stuck.attempts >= :stuck_after
        ))
)
order by id
limit :limit
for update skip locked;

-- name: changes_done!
delete from audience_changes where id = any(:ids::bigint[]);

-- name: postpone_change!
update audience_changes
set attempts = :attempts, retry_at = :retry_at, error = :error, journeys_told = :journeys_told
where id = :id;

-- name: lock_birthdays$
select day from birthdays for update;

-- name: birthdays_followed!
update birthdays set day = :day;

-- name: follow_birthdays!
insert into audience_changes (channel, audience, friend, change, changed_at, reason)
select channel, '', friend, 'known', :now, 'had a birthday'
from friends
where attributes ? 'birthday' and right(attributes ->> 'birthday', 5) = any(:days::text[])
    and channel in (select channel from audiences where kind = 'combined' and asks_of_friend)
order by channel, friend;

-- name: take_pending_entries
-- Those whose former journey has ended. Nobody is waited for: whoever has the friend comes first.
select pending.*
from pending_entries as pending join friends using (channel, friend)
where retry_at <= :now and not exists (
    select from journeys
    where journeys.channel = pending.channel and journeys.scenario = pending.scenario
        and journeys.friend = pending.friend and ended_at is null and stopping is not null
)
order by pending.id
limit :limit
for update of pending, friends skip locked;

-- name: pending_entry_done!
delete from pending_entries where id = :id;

-- name: postpone_pending_entry!
update pending_entries set attempts = :attempts, retry_at = :retry_at, error = :error
where id = :id;

-- name: take_from_outbox
-- A journey's entries are delivered one at a time, in their order.
select outbox.id, outbox.kind, outbox.attempts, journeys.*, journeys.id as journey_id,
    outbox.id as outbox_id
from outbox join journeys on journeys.id = outbox.journey_id
where outbox.retry_at <= :now and not exists (
    select 1 from outbox as earlier
    where earlier.journey_id = outbox.journey_id and earlier.id < outbox.id
)
order by outbox.id
limit :limit
for update of outbox skip locked;

-- name: remove_from_outbox!
delete from outbox where id = any(:ids::bigint[]);

-- name: postpone_outbox_entries*!
update outbox set attempts = :attempts, retry_at = :retry_at, error = :error where id = :id;
