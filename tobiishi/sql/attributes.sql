-- name: make_room#
-- A hundred thousand lines fit: nothing is sorted on disk.
set local work_mem = '64MB';
set local temp_buffers = '64MB';
create temporary table upload_lines (
    line int not null,
    friend text not null,
    attributes text not null,
    fields text not null,
    tags text[] not null
) on commit drop;
create temporary table upload_tags (tag text, friend text) on commit drop;
-- Those of whom something is known that was not before.
create temporary table known_anew (friend text primary key) on commit drop;

-- name: count_friends$
-- Once the lines are merged.
select count(*) from upload_lines;

-- name: meet_and_lock$
-- Once the lines are merged. Those nobody has met are known from here on, by all that is stored of
-- them, and all are locked, in the one order in which everybody locks many. A row that `where`
-- refuses to update is locked all the same.
with met as (
    insert into friends (channel, friend, status, status_at, attributes)
    select :channel, friend, 'following', :at, jsonb_strip_nulls(
        attributes::jsonb || case fields
            when '{}' then '{}' else jsonb_build_object('fields', fields::jsonb)
        end
    )
    from upload_lines
    order by friend
    on conflict (channel, friend) do update set status = friends.status where false
    returning friend
), noted as (
    insert into known_anew (friend) select friend from met
)
select count(*) from met;

-- name: split_tags#
-- Postgres looks at a table of the transaction's own only when asked to.
analyze upload_lines;
insert into upload_tags (tag, friend)
select distinct tag, friend from upload_lines, unnest(tags) as tag;
create unique index on upload_tags (tag, friend);
analyze upload_tags;

-- name: merge_lines!
-- Of several lines about one friend, the last that tells an attribute counts for it.
with repeated as (
    select friend, max(line) as line from upload_lines group by friend having count(*) > 1
), gone as (
    delete from upload_lines using repeated where upload_lines.friend = repeated.friend
    returning upload_lines.*
), merged as (
    select friend, jsonb_object_agg(key, value order by line) as attributes
    from gone, jsonb_each(attributes::jsonb) group by friend
), merged_own as (
    select friend, jsonb_object_agg(key, value order by line) as fields
    from gone, jsonb_each(fields::jsonb) group by friend
)
insert into upload_lines (line, friend, attributes, fields, tags)
select line, friend, coalesce(attributes, '{}'), coalesce(fields, '{}'), '{}'
from repeated left join merged using (friend) left join merged_own using (friend);

-- name: change_attributes$
-- As friends.set_attributes does, of those who were not met just now; a friend of whom all is known
-- already is left alone. Answers one who has too many attributes of the shop's own by now.
with updated as (
    select friend, jsonb_strip_nulls(
        friends.attributes || upload_lines.attributes::jsonb || case upload_lines.fields
            when '{}' then '{}'
            else jsonb_build_object(
                'fields',
                coalesce(friends.attributes -> 'fields', '{}') || upload_lines.fields::jsonb
            )
        end
    ) as attributes
    from friends join upload_lines using (friend)
    where channel = :channel and not exists (
        select from known_anew where known_anew.friend = upload_lines.friend
    )
), changed as (
    update friends set attributes = updated.attributes from updated
    where channel = :channel and friends.friend = updated.friend
        and friends.attributes <> updated.attributes
    returning friends.friend, friends.attributes
), noted as (
    insert into known_anew (friend) select friend from changed on conflict do nothing
)
select friend from changed
where (select count(*) from jsonb_object_keys(attributes -> 'fields')) > :most_own
limit 1;

-- name: tag!
insert into tags (channel, friend, tag, tagged_at)
select :channel, friend, tag, :at from upload_tags
order by friend, tag
on conflict do nothing;

-- name: lock_audiences_of_tags
-- Each stays as it is until the transaction ends, and nobody begins to ask for its changes. One
-- that somebody defines or asks about just now is not waited for: they may have locked several, in
-- an order of their own.
select audience, watched from audiences
where channel = :channel and kind = 'tag' and rule ->> 'tag' in (select tag from upload_tags)
order by audience
for share skip locked;

-- name: audiences_of_tags
select audience, tag from audiences join (select distinct tag from upload_tags) as tagged
    on audiences.rule ->> 'tag' = tagged.tag
where channel = :channel and kind = 'tag'
order by audience;

-- name: join_tagged!
-- As audiences.join does, from the table and not from an array.
with joined as (
    insert into audience_members (channel, audience, friend, joined_at, reason)
    select :channel, :audience, friend, :at, 'tag ' || :tag
    from upload_tags where tag = :tag
    order by friend
    on conflict do nothing
    returning channel, audience, friend, joined_at, reason
)
insert into audience_changes (channel, audience, friend, change, changed_at, reason)
select channel, audience, friend, 'joined', joined_at, reason from joined
where :reported;

-- name: known_anew
select friend from known_anew where friend > :after order by friend limit :limit;
