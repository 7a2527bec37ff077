-- name: last_entry^
select id, entry, started_at, ended_at, stopping from journeys
where channel = :channel and scenario = :scenario and friend = :friend
order by entry desc limit 1;

-- name: begin$
-- Unless the scenario was retired by now; whoever retires it waits for those who begin just then.
insert into journeys (channel, scenario, version, friend, entry, why, started_at)
select channel, scenario, :version, :friend, :entry, :why, :started_at
from scenarios where channel = :channel and scenario = :scenario
for key share
returning id;

-- name: subscribe*!
insert into journey_interests
    (channel, audience, friend, journey_id, change, leads_to, step)
values (:channel, :audience, :friend, :journey_id, :change, :leads_to, :step)
on conflict do nothing;

-- name: stop_waiting!
delete from journey_interests
where journey_id = :journey_id and leads_to = 'wake' and step = :step;

-- name: has_come$
select came from journey_interests
where journey_id = :journey_id and leads_to = 'wake' and step = :step;

-- name: enter_later!
-- Of two causes the later counts. Unless the scenario was retired by now.
insert into pending_entries (channel, friend, scenario, version, why, since, exits, by_hand)
select channel, :friend, scenario, :version, :why, :since, :exits, :by_hand
from scenarios where channel = :channel and scenario = :scenario
for key share
on conflict (channel, friend, scenario) do update
set version = excluded.version, why = excluded.why, since = excluded.since,
    exits = excluded.exits, by_hand = excluded.by_hand;

-- name: drop_pending_of!
delete from pending_entries where channel = :channel and friend = :friend;

-- name: order!
insert into outbox (journey_id, kind) values (:journey_id, :kind);

-- name: get^
select * from journeys where id = :journey_id;

-- name: locate$
select id from journeys
where channel = :channel and scenario = :scenario and friend = :friend
    and entry = :entry and started_at = :started_at;

-- name: of_friend
select * from journeys where channel = :channel and friend = :friend order by started_at, id;

-- name: under_way^
select * from journeys
where channel = :channel and scenario = :scenario and friend = :friend and ended_at is null;

-- name: under_way_in
select friend from journeys
where channel = :channel and scenario = :scenario and ended_at is null and stopping is null
limit :limit;

-- name: stop_in$
with stopped as (
    update journeys set stopping = 'stopped', stopping_because = :because
    where channel = :channel and scenario = :scenario and friend = any(:friends::text[])
        and ended_at is null and stopping is null
    returning id
), queued as (
    insert into outbox (journey_id, kind) select id, 'stop' from stopped
)
select count(*) from stopped;

-- name: stop_all_of_friend
update journeys set stopping = :stopping, stopping_because = :because
where channel = :channel and friend = :friend and ended_at is null and stopping is null
returning id;

-- name: apply_changes!
-- The journeys that exit on these changes are to stop, and those that wait for them to look. That
-- a change came is kept: the friend may have left again before the journey looks. Who was to enter a
-- scenario that exits on these changes, and waited for their former journey to end, does not.
with changes as (
    select * from unnest(
        :channels::text[], :audiences::text[], :friends::text[], :changes::text[]
    ) as changes (channel, audience, friend, change)
), exiting as (
    update journeys
    set stopping = 'exited', stopping_because = change || ' ' || audience
    from changes join journey_interests as interest using (channel, audience, friend, change)
    where interest.journey_id = journeys.id and leads_to = 'exit'
        and ended_at is null and stopping is null
    returning journeys.id
), waiting as (
    update journey_interests as interest set came = true
    from changes
    where interest.channel = changes.channel and interest.audience = changes.audience
        and interest.friend = changes.friend and interest.change = changes.change
        and leads_to = 'wake'
    returning journey_id
), called_off as (
    delete from pending_entries as pending using changes
    where pending.channel = changes.channel and pending.friend = changes.friend
        and changes.change || ' ' || changes.audience = any(pending.exits)
)
insert into outbox (journey_id, kind)
select id, 'stop' from exiting
union all
select distinct journeys.id, 'wake' from waiting join journeys on journeys.id = journey_id
where ended_at is null and stopping is null and journeys.id not in (select id from exiting);

-- name: end^
-- Said again (after a crash between the saying and the hearing), it changes nothing. The journey
-- is locked first, so that of two who say it at once the second hears the first.
with locked as (
    select * from journeys where id = :journey_id for update
), ended as (
    update journeys
    set ended_at = :at, outcome = coalesce(locked.stopping, :outcome)
    from locked
    where journeys.id = locked.id and locked.ended_at is null
    returning journeys.outcome, journeys.stopping_because
), forgotten as (
    delete from journey_interests where journey_id = :journey_id
), closed as (
    -- A message that was being sent is tried no more: whoever has left must not get it.
    update deliveries
    set status = case
            when coalesce(ambiguous_at, asking_at) is null then 'skipped' else 'unknown'
        end,
        reason = 'the journey ended before LINE had clearly answered' || coalesce(': ' || reason, ''),
        settled_at = :at
    where journey_id = :journey_id and status = 'claimed'
)
select outcome, stopping_because from ended
union all
select outcome, stopping_because from locked where ended_at is not null;

-- name: enter_first
-- What `begin`, `subscribe` and `order` do for one, for all who never were in the scenario. Selects
-- those who were: whether they may enter again is decided for each.
with asked as (
    select friend, why, exists (
        select from journeys
        where journeys.channel = :channel and scenario = :scenario
            and journeys.friend = asked.friend
    ) as had_entered
    from unnest(:friends::text[], :why::text[]) as asked (friend, why) join friends using (friend)
    where friends.channel = :channel and status = 'following'
), live as (
    select channel, scenario from scenarios where channel = :channel and scenario = :scenario
    for key share
), entered as (
    insert into journeys (channel, scenario, version, friend, entry, why, started_at)
    select channel, scenario, :version, friend, 1, why, :now
    from live, asked
    where not had_entered
    order by friend
    returning id, friend
), subscribed as (
    insert into journey_interests (channel, audience, friend, journey_id, change, leads_to)
    select :channel, exits.audience, friend, id, exits.change, 'exit'
    from entered, unnest(:exit_audiences::text[], :exit_changes::text[]) as exits (audience, change)
    on conflict do nothing
), ordered as (
    insert into outbox (journey_id, kind) select id, 'start' from entered order by id
)
select friend from asked where had_entered order by friend;
