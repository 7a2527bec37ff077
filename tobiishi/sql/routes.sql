-- name: put!
insert into routes (channel, route, title) values (:channel, :route, :title)
on conflict (channel, route) do update set title = excluded.title;

-- name: look_up
select channel, route, title,
    count(visit.id) as visits,
    count(distinct visit.friend) filter (where visit.followed_at is not null) as friends,
    count(*) filter (
        where visit.friendship_changed and visit.followed_at is null and visit.returned_at < :before
    ) as unmatched
from routes left join route_visits as visit using (channel, route)
where channel = :channel and (:route::text is null or route = :route)
group by channel, route, title
order by route;

-- name: exists$
select true from routes where channel = :channel and route = :route;

-- name: delete!
delete from routes where channel = :channel and route = :route;

-- name: audiences_of
select audience from audiences
where channel = :channel and kind = 'route' and rule ->> 'route' = :route
order by audience;

-- name: lock!
-- Somebody's visit and their adding follow one after the other, also while nobody knows them.
select pg_advisory_xact_lock(hashtextextended('route ' || :channel || ' ' || :friend, 0));

-- name: keep$
-- Not where the route was deleted meanwhile.
insert into route_visits
    (channel, route, login, friend, opened_at, returned_at, friendship_changed, was_friend)
select channel, route, :login, :friend, :opened_at, :returned_at, :friendship_changed, :was_friend
from routes where channel = :channel and route = :route
on conflict (channel, login) do nothing
returning id;

-- name: undecided
select id, channel, route, login, friend, opened_at, returned_at, friendship_changed, was_friend
from route_visits
where channel = :channel and friend = :friend and followed_at is null
order by opened_at desc;

-- name: last_follow^
-- The last adding that was followed up, unless a visit counts for it already.
select channel, webhook_event_id, type, friend, occurred_at, received_at, body, attempts
from (
    select * from webhook_events
    where channel = :channel and friend = :friend and type = 'follow' and handled_at is not null
    order by occurred_at desc
    limit 1
) as follow
where not exists (
    select from route_visits as visit
    where visit.channel = follow.channel and visit.friend = follow.friend
        and visit.followed_at = follow.occurred_at
);

-- name: count_for!
update route_visits set followed_at = :followed_at where id = :id;

-- name: decide_others!
update route_visits set friend = null
where channel = :channel and friend = :friend and followed_at is null;

-- name: set_route!
update friends set route = :route where channel = :channel and friend = :friend;

-- name: forget_undecided$
with old as (
    update route_visits set friend = null where id in (
        select id from route_visits
        where friend is not null and followed_at is null and returned_at < :before
        order by returned_at
        limit :limit
        for update skip locked
    ) returning 1
)
select count(*) from old;
