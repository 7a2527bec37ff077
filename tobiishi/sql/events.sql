-- name: keep$
insert into events
    (channel, friend, source, event, occurred_at, scenario, message, url, detail, key)
values
    (:channel, :friend, :source, :event, :occurred_at, :scenario, :message, :url, :detail, :key)
on conflict (channel, key) do nothing
returning id;

-- name: forget_detail!
update events set detail = '{}' where channel = :channel and key = :key;

-- name: of_friend
select id, source, event, occurred_at, scenario, message, url, detail from events
where channel = :channel and friend = :friend
    and (
        cast(:after as bigint) is null
        or (occurred_at, id) < (
            select occurred_at, id from events
            where id = cast(:after as bigint) and channel = :channel and friend = :friend
        )
    )
order by occurred_at desc, id desc limit :limit;
