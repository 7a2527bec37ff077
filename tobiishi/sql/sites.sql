-- name: put!
insert into sites (channel, host) values (:channel, :host) on conflict do nothing;

-- name: remove$
with gone as (delete from sites where channel = :channel and host = :host returning 1)
select count(*) from gone;

-- name: all
select host from sites where channel = :channel order by host;

-- name: number_of_friend_at$
-- The friend's number, where the host is one of their channel's sites.
select number from friends join sites using (channel)
where channel = :channel and friend = :friend and host = :host;

-- name: friend_at^
-- The friend of that number, where the host is one of their channel's sites.
select channel, friend from friends join sites using (channel)
where number = :number and host = :host;
