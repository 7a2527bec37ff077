-- name: get^
select * from friends where channel = :channel and friend = :friend;

-- name: lock^
-- The friend, locked until the transaction ends: enrolments of one friend go one after another.
select * from friends where channel = :channel and friend = :friend for update;

-- name: set_status^
-- Events arrive in any order: an older one than the last heard changes nothing. One of a time to
-- come, which a former release believed, is not the last.
insert into friends (channel, friend, status, status_at)
values (:channel, :friend, :status, :at)
on conflict (channel, friend) do update
set status = excluded.status, status_at = excluded.status_at
where friends.status_at <= excluded.status_at or friends.status_at > clock_timestamp()
-- Of a row that was there before, Postgres tells who updated it.
returning *, xmax = 0 as is_new;

-- name: meet$
insert into friends (channel, friend, status, status_at)
values (:channel, :friend, 'following', :at)
on conflict do nothing
returning friend;

-- name: meet_and_lock
-- Those nobody has met are known from here on, and all are locked, in the one order in which
-- everybody locks many. A row that `where` refuses to update is locked all the same.
insert into friends (channel, friend, status, status_at)
select :channel, friend, 'following', :at
from unnest(:friends::text[]) as friend
order by friend
on conflict (channel, friend) do update set status = friends.status where false
returning friend;

-- name: keep_profile!
update friends
set display_name = :display_name, language = :language, profile_at = :at
where channel = :channel and friend = :friend;

-- name: set_attributes^
update friends
set attributes = jsonb_strip_nulls(
    attributes || :attributes::jsonb || jsonb_build_object(
        'fields',
        coalesce(attributes -> 'fields', '{}') || coalesce(:attributes::jsonb -> 'fields', '{}')
    )
)
where channel = :channel and friend = :friend
returning *;

-- name: tag!
insert into tags (channel, friend, tag, tagged_at)
values (:channel, :friend, :tag, :at)
on conflict do nothing;

-- name: untag!
delete from tags where channel = :channel and friend = :friend and tag = any(:tags::text[]);

-- name: tags_of
select tag from tags where channel = :channel and friend = :friend order by tag;

-- name: get_many
select * from friends where channel = :channel and friend = any(:friends::text[]);

-- name: lock_many!
-- By channel and id, the lock order of everybody who locks many.
select from friends
where (channel, friend) in (select * from unnest(:channels::text[], :friends::text[]))
order by channel, friend
for update;

-- name: see^
-- Nothing is written where all of it is known.
update friends set seen = seen || :seen
where channel = :channel and friend = :friend and not seen @> :seen
returning friend;

-- name: page
select * from friends
where channel = :channel and friend > :after
    and (:tag::text is null or exists (
        select from tags where tags.channel = friends.channel
            and tags.friend = friends.friend and tag = :tag
    ))
    and (:audience::text is null or exists (
        select from audience_members as member where member.channel = friends.channel
            and member.friend = friends.friend and audience = :audience
    ))
    and (:name::text is null or strpos(lower(display_name), lower(:name)) > 0)
order by friend limit :limit;
