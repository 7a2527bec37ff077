-- name: friends$
select count(*) from friends
where channel = :channel and status = 'following' and (
    cast(:audience as text) is null or friend in (
        select friend from audience_members where channel = :channel and audience = :audience
    )
);

-- name: under_way
select scenario, version, count(*) as journeys from journeys
where channel = :channel and ended_at is null
group by scenario, version;
