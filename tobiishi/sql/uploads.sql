-- name: make_room#
create temporary table uploaded (friend text not null) on commit drop;

-- name: join_uploaded$
-- As audiences.join does, from the table and not from an array. In the order of the ids, so that
-- two that overlap wait for each other in one order only.
with locked as (
    select watched from audiences where channel = :channel and audience = :audience for share
), joined as (
    insert into audience_members (channel, audience, friend, joined_at, reason)
    select :channel, :audience, friend, :at, :reason
    from (select distinct friend from uploaded order by friend) as listed
    on conflict do nothing
    returning channel, audience, friend, joined_at, reason
), reported as (
    insert into audience_changes (channel, audience, friend, change, changed_at, reason)
    select channel, audience, friend, 'joined', joined_at, reason from joined
    where (select watched from locked)
)
select count(*) from joined;

-- name: count_uploaded$
select count(distinct friend) from uploaded;
