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

-- name: set_next!
update journeys
set next_action = :action, next_step = :step, next_visit = :visit, next_due = :due,
    next_wait = :wait
where id = :journey_id;

-- name: set_first!
-- Nobody is waited for, so that no order of locking many is needed: whoever has one of these
-- journeys locked sets what comes next, or ends it.
with free as (
    select id from journeys
    where id = any(:ids::bigint[]) and next_action is null
        and not exists (select from trail where trail.journey_id = journeys.id)
    for no key update skip locked
)
update journeys
set next_action = action, next_step = step, next_visit = visit, next_due = due, next_wait = wait
from free join unnest(
    :ids::bigint[], :actions::text[], :steps::text[], :visits::int[], :dues::timestamptz[],
    :waits::text[]
) as first (id, action, step, visit, due, wait) using (id)
where journeys.id = free.id;

-- name: is_next$
select true from journeys
where id = :journey_id and ended_at is null
    and next_action is not distinct from cast(:action as text)
    and next_step is not distinct from cast(:step as text)
for update;

-- name: next^
select next_action, next_step, next_visit, next_due, next_wait
from journeys where id = :journey_id and next_action is not null;

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

-- name: advance$
-- A step was taken: what became of its delivery, what the trail says of it, and what comes next; or
-- that the journey is over by it (`ends_as`), unless it was being stopped or has ended meanwhile.
-- Said again after a crash, it changes nothing: a settled delivery stays (only an unknown one may
-- yet be sent), and so does the trail. A clear answer of LINE's counts even where the journey ended
-- while it was awaited. Lock order: the journey before its delivery.
with settled as (
    update deliveries
    set status = :status, reason = :reason, settled_at = :at,
        request_id = :request_id, message_ids = :message_ids
    where retry_key = cast(:retry_key as uuid)
        and (status = 'claimed' or (status = 'unknown' and :status = 'sent'))
), noted as (
    insert into trail (journey_id, step, visit, at, said, detail)
    select :journey_id, done.step, done.visit, :at, done.said, done.detail
    from unnest(:steps::text[], :visits::int[], :texts::text[], :details::jsonb[])
        with ordinality as done (step, visit, said, detail, number)
    order by number
    on conflict (journey_id, step, visit) do nothing
), forgotten as (
    delete from journey_interests
    where journey_id = :journey_id and cast(:ends_as as text) is not null
)
update journeys
set next_action = :action, next_step = :next_step, next_visit = :visit, next_due = :due,
    next_wait = :wait,
    stopping = case
        when :ends_as = 'refused' and ended_at is null then coalesce(stopping, 'refused')
        else stopping
    end,
    stopping_because = coalesce(stopping_because, case
        when :ends_as = 'refused' and ended_at is null and stopping is null
        then cast(:because as text)
    end),
    ended_at = case when :ends_as is null then ended_at else coalesce(ended_at, :at) end,
    outcome = case
        when :ends_as is null then outcome else coalesce(outcome, stopping, :ends_as)
    end
where id = :journey_id
returning case when :ends_as is not null then outcome end;

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

-- name: add_to_trail^
insert into trail (journey_id, step, visit, at, said, detail)
values (:journey_id, :step, :visit, :at, :said, :detail)
on conflict (journey_id, step, visit) do update set step = trail.step
returning at, step, said, detail;

-- name: trail_of
select at, step, said, detail from trail where journey_id = :journey_id order by at, id;

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
