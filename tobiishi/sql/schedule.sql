-- name: versions_under_way
select scenario, version, count(*) filter (where next_action is null) as not_known
from journeys
where channel = :channel and ended_at is null and stopping is null
    and (cast(:scenario as text) is null or scenario = :scenario)
group by scenario, version
order by scenario, version;

-- name: groups
-- Those who are at the same place and due in the same hour are one row; those who are due in one
-- and the same minute are one of their own. `days_counted` are the versions that ask for the day of
-- the entry, by their clocks. Who waits for an audience may go on before their time.
select journeys.scenario, journeys.version, next_action, next_step,
    friend = any(:held_friends::text[]) as held,
    (started_at at time zone days_counted.timezone)::date as entered_on,
    slot + avg(next_due - slot) as due, count(*) as friends
from journeys
left join unnest(:scenarios::text[], :versions::int[], :timezones::text[])
    as days_counted (scenario, version, timezone) using (scenario, version)
cross join lateral (
    select case
        when next_due = date_trunc('minute', next_due) then next_due
        else date_trunc('hour', next_due, :timezone)
    end as slot
) as slots
where channel = :channel and ended_at is null and stopping is null
    and (cast(:scenario as text) is null or journeys.scenario = :scenario)
    and (next_due < :until or next_action = 'look')
group by 1, 2, 3, 4, 5, 6, slot;

-- name: ways_taken
-- LINE's user ids are random, so that the first of them are a fair sample of a scenario's friends.
select scenario, version, step, coalesce(detail->>'case', detail->>'way') as way,
    count(*) as friends
from unnest(:scenarios::text[]) as asked
cross join lateral (
    select id, scenario, version from journeys
    where channel = :channel and scenario = asked
    order by friend, entry
    limit :most
) as sample
join trail on trail.journey_id = sample.id
where detail ?| array['case', 'way']
group by 1, 2, 3, 4;

-- name: close_together
-- Friends whose confirmed sends are less than an hour apart, with these in their order.
with confirmed as (
    select friend, scenario, version, next_step, greatest(next_due, :now) as due
    from journeys
    where channel = :channel and ended_at is null and stopping is null
        and next_action = 'send' and next_due < :until
), beside as (
    select *, due - lag(due) over of_friend as since_last, lead(due) over of_friend - due as to_next
    from confirmed
    window of_friend as (partition by friend order by due)
), crowded as (
    select friend, min(due) as first,
        array_agg(due order by due, scenario) as dues,
        array_agg(scenario order by due, scenario) as scenarios,
        array_agg(version order by due, scenario) as versions,
        array_agg(next_step order by due, scenario) as steps
    from beside
    where since_last < interval '1 hour' or to_next < interval '1 hour'
    group by friend
    having cast(:scenario as text) is null or bool_or(scenario = :scenario)
)
select crowded.*, display_name, (select count(*) from crowded) as friends
from crowded left join friends on friends.channel = :channel and friends.friend = crowded.friend
order by first, crowded.friend
limit :most;
