-- name: journeys_of
-- What the friend walked through, with what comes next of those under way.
select * from journeys where channel = :channel and friend = :friend order by started_at, id;

-- name: trail_of
select journey_id, step, visit, at, said, detail
from trail where journey_id = any(:journeys::bigint[]) order by at, id;

-- name: deliveries_of
select * from deliveries where journey_id = any(:journeys::bigint[]) order by claimed_at, step;

-- name: memberships_of
-- Every time that the friend was in an audience, or is.
select audience, joined_at, reason, left_at, left_reason from past_memberships
where channel = :channel and friend = :friend
union all
select audience, joined_at, reason, null, null from audience_members
where channel = :channel and friend = :friend
order by joined_at;

-- name: audience_titles
select audience, title from audiences where channel = :channel;

-- name: route_titles
select route, title from routes where channel = :channel;

-- name: route_adds
-- By which routes the friend was added, and when.
select route, followed_at from route_visits
where channel = :channel and friend = :friend and followed_at is not null
order by followed_at;

-- name: last_add^
-- The last adding that is still kept, and whether it ended a block.
select occurred_at, coalesce((body #>> '{follow,isUnblocked}')::boolean, false) as unblocked
from webhook_events
where channel = :channel and friend = :friend and type = 'follow'
order by occurred_at desc limit 1;

-- name: status_since$
select status_at from friends where channel = :channel and friend = :friend;

-- name: pending_of
select scenario, since from pending_entries where channel = :channel and friend = :friend;

-- name: joinings_in_queue
-- What follows from these has not been done yet; `error` is why it failed, where it did.
select audience, error from audience_changes
where channel = :channel and friend = :friend and change = 'joined'
order by id;

-- name: last_enrolments
select distinct on (scenario) scenario, audience, status from enrolments
where channel = :channel order by scenario, id desc;

-- name: live_scenarios
select scenario, version from scenarios where channel = :channel order by scenario;

-- name: with_message
-- The newest version of each scenario that has the message.
select distinct on (scenario) scenario, version from scenario_versions
where channel = :channel
    and (cast(:scenario as text) is null or scenario = :scenario)
    and jsonb_path_exists(
        definition::jsonb, '$.**.send ? (@.name == $name)',
        jsonb_build_object('name', cast(:message as text))
    )
order by scenario, version desc;

-- name: messages_of
-- The names of all messages that a version has; for who has mistyped one.
select distinct message #>> '{}' as message
from scenario_versions, jsonb_path_query(definition::jsonb, '$.**.send.name') as message
where channel = :channel and (cast(:scenario as text) is null or scenario = :scenario)
order by message;

-- name: start_rules
-- Who could enter the scenario since when.
select version, title, published_at,
    definition -> 'start' as start,
    definition -> 'period' as period,
    definition -> 'reentry' as reentry,
    coalesce(definition ->> 'timezone', 'Asia/Tokyo') as timezone
from scenario_versions where channel = :channel and scenario = :scenario
order by version;
