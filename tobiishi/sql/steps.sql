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

-- name: next^
select next_action, next_step, next_visit, next_due, next_wait
from journeys where id = :journey_id and next_action is not null;

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

-- name: add_to_trail^
insert into trail (journey_id, step, visit, at, said, detail)
values (:journey_id, :step, :visit, :at, :said, :detail)
on conflict (journey_id, step, visit) do update set step = trail.step
returning at, step, said, detail;

-- name: trail_of
select at, step, said, detail from trail where journey_id = :journey_id order by at, id;
