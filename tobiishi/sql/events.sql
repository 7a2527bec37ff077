-- name: keep$
insert into events
    (channel, friend, source, event, occurred_at, scenario, message, url, detail, key)
values
    (:channel, :friend, :source, :event, :occurred_at, :scenario, :message, :url, :detail, :key)
on conflict (channel, key) do nothing
returning id;

-- name: of_friend
select source, event, occurred_at, scenario, message, url, detail from events
where channel = :channel and friend = :friend
order by occurred_at desc, id desc offset :offset limit :limit;
