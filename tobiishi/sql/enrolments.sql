-- name: lock^
select * from enrolments where id = :id for update;

-- name: get^
select * from enrolments where id = :id;

-- name: of_channel
select * from enrolments where channel = :channel order by id desc limit :limit;

-- name: lock_of_scenario!
select from enrolments
where channel = :channel and scenario = :scenario and status in ('running', 'paused')
for update;

-- name: cancel_all_of!
update enrolments
set status = 'cancelled', because = :because, note = '',
    cursor = '', finished_at = :now, told = false, retry_at = '-infinity'
where channel = :channel and scenario = :scenario and status in ('running', 'paused');

-- name: begin^
insert into enrolments (channel, scenario, version, audience, total, started_at)
select :channel, :scenario, :version, :audience, count(*), :now
from audience_members
where channel = :channel and audience = :audience and (expires_at is null or expires_at > :now)
returning *;

-- name: set_status^
update enrolments
set status = :status, because = :because, finished_at = :finished_at, note = '',
    -- A friend's id is kept no longer than it is needed.
    cursor = case when :finished_at::timestamptz is null then cursor else '' end,
    page_at = null, told = false, retry_at = '-infinity'
where id = :id
returning *;

-- name: set_pace^
update enrolments set per_second = :per_second, rate = null where id = :id returning *;

-- name: waiting_starts$
-- Up to so many. One that fails again and again waits for an operator, and holds nobody up.
select count(*) from (
    select from outbox where kind = 'start' and attempts < :stuck_after limit :most
) as waiting;

-- name: next_page
-- Up to `size` who may enter, and between them all who have entered before: those cost nothing.
select friend, had_entered from (
    select friend, had_entered, count(*) filter (where not had_entered) over (order by friend) as may
    from (
        select friend, exists (
            select from journeys
            where journeys.channel = member.channel and scenario = :scenario
                and journeys.friend = member.friend
        ) as had_entered
        from audience_members as member
        where channel = :channel and audience = :audience and friend > :cursor
            and (expires_at is null or expires_at > :now)
        order by friend
        limit :look
    ) as looked
) as counted
where may <= :size
order by friend;

-- name: count_left$
select count(*) from audience_members
where channel = :channel and audience = :audience and friend > :cursor
    and (expires_at is null or expires_at > :now);

-- name: enter^
-- As tobiishi/journeys/journeys.py enters one friend, for all of a page. Who joined so lately that the relay
-- has not followed it yet is entered by that: it would not see a journey that has ended by then.
with members as (
    select friend, friends.status = 'following' as follows, exists (
        select from audience_changes as change
        where change.channel = member.channel and change.audience = member.audience
            and change.friend = member.friend and change.change = 'joined'
    ) as is_joining
    from audience_members as member join friends using (channel, friend)
    where channel = :channel and audience = :audience and friend = any(:friends::text[])
        and (expires_at is null or expires_at > :now)
        and (channel, friend) not in (select channel, friend from forgettings)
), entered as (
    insert into journeys (channel, scenario, version, friend, entry, why, started_at)
    select :channel, :scenario, :version, friend, 1, :why, :now
    from members
    where follows and not is_joining
    order by friend
    -- Their first entry was another.
    on conflict do nothing
    returning id, friend
), subscribed as (
    insert into journey_interests (channel, audience, friend, journey_id, change, leads_to)
    select :channel, exits.audience, friend, id, exits.change, 'exit'
    from entered, unnest(:exit_audiences::text[], :exit_changes::text[]) as exits (audience, change)
    on conflict do nothing
), ordered as (
    insert into outbox (journey_id, kind) select id, 'start' from entered order by id
)
select
    (select count(*) from entered) as entered,
    (select count(*) from members where not follows) as blocked,
    (select count(*) from members where follows) as following;

-- name: keep^
-- What a page came to.
update enrolments
set status = :status, because = coalesce(:because, because), note = :note,
    cursor = case when :finished_at::timestamptz is null then :cursor else '' end,
    entered = entered + :entered, had_entered = had_entered + :had_entered,
    blocked = blocked + :blocked, too_late = too_late + :too_late,
    rate = :rate, page_at = :page_at, finished_at = :finished_at
where id = :id
returning *;

-- name: next_unconfirmed^
-- Not held: while Temporal is asked, whoever has a new status for it need not wait.
select * from enrolments where not told and retry_at <= :now order by id limit 1;

-- name: confirm!
-- Unless it has another status by now, which Temporal does not know.
update enrolments set told = true, attempts = 0, error = null
where id = :id and status = :status;

-- name: confirmed_unfinished
select * from enrolments where told and finished_at is null order by id;

-- name: unconfirm!
update enrolments set told = false, retry_at = '-infinity' where id = :id and finished_at is null;

-- name: postpone!
update enrolments set attempts = :attempts, retry_at = :retry_at, error = :error where id = :id;
