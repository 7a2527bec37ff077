-- name: make_room#
create temporary table told (
    line int not null,
    friend text not null,
    attributes text not null,
    fields text not null,
    tags text[] not null
) on commit drop;
create temporary table told_tags (tag text, friend text, primary key (tag, friend)) on commit drop;
-- Those of whom something is known that was not before.
create temporary table known_anew (friend text primary key) on commit drop;

-- name: count_friends$
-- Once the lines are merged.
select count(*) from told;

-- name: meet_and_hold$
-- Those nobody has met are known from here on, and all are held, in the one order in which everybody
-- holds many. A row that `where` refuses to update is locked all the same.
with met as (
    insert into friends (channel, friend, status, status_at)
    select :channel, friend, 'following', :at
    from (select distinct friend from told) as people
    order by friend
    on conflict (channel, friend) do update set status = friends.status where false
    returning friend
), noted as (
    insert into known_anew (friend) select friend from met
)
select count(*) from met;

-- name: split_tags!
insert into told_tags (tag, friend) select distinct tag, friend from told, unnest(tags) as tag;

-- name: merge_lines!
-- Of several lines about one friend, the last that tells an attribute counts for it.
with repeated as (
    select friend, max(line) as line from told group by friend having count(*) > 1
), gone as (
    delete from told using repeated where told.friend = repeated.friend returning told.*
), said as (
    select friend, jsonb_object_agg(key, value order by line) as attributes
    from gone, jsonb_each(attributes::jsonb) group by friend
), said_own as (
    select friend, jsonb_object_agg(key, value order by line) as fields
    from gone, jsonb_each(fields::jsonb) group by friend
)
insert into told (line, friend, attributes, fields, tags)
select line, friend, coalesce(attributes, '{}'), coalesce(fields, '{}'), '{}'
from repeated left join said using (friend) left join said_own using (friend);

-- name: change_attributes$
-- As friends.set_attributes does; a friend of whom all is known already is left alone. Answers one
-- who has too many attributes of the shop's own by now.
with said as (
    select friend, jsonb_strip_nulls(
        friends.attributes || told.attributes::jsonb || case told.fields
            when '{}' then '{}'
            else jsonb_build_object(
                'fields', coalesce(friends.attributes -> 'fields', '{}') || told.fields::jsonb
            )
        end
    ) as attributes
    from friends join told using (friend)
    where channel = :channel
), changed as (
    update friends set attributes = said.attributes from said
    where channel = :channel and friends.friend = said.friend
        and friends.attributes <> said.attributes
    returning friends.friend, friends.attributes
), noted as (
    insert into known_anew (friend) select friend from changed on conflict do nothing
)
select friend from changed
where (select count(*) from jsonb_object_keys(attributes -> 'fields')) > :most_own
limit 1;

-- name: tag!
insert into tags (channel, friend, tag, tagged_at)
select :channel, friend, tag, :at from told_tags
order by friend, tag
on conflict do nothing;

-- name: audiences_of_tags
select audience, tag from audiences join (select distinct tag from told_tags) as told
    on audiences.rule ->> 'tag' = told.tag
where channel = :channel and kind = 'tag'
order by audience;

-- name: tagged
select friend from told_tags where tag = :tag and friend > :after order by friend limit :limit;

-- name: known_anew
select friend from known_anew where friend > :after order by friend limit :limit;
