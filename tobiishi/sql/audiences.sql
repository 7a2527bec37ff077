-- name: lock_tag!
-- While an audience of the tag is made, nobody is tagged: each would miss the other.
select pg_advisory_xact_lock(hashtextextended('tag ' || :channel || ' ' || :tag, 0));

-- name: rely_on_tag!
select pg_advisory_xact_lock_shared(hashtextextended('tag ' || :channel || ' ' || :tag, 0));

-- name: hold!
-- Its kind and its rule may change, once all who rely on them are done.
select from audiences where channel = :channel and audience = :audience for update;

-- name: rely_on!
select from audiences where channel = :channel and audience = :audience for share;

-- name: put^
insert into audiences (channel, audience, title, kind, rule)
values (:channel, :audience, :title, :kind, :rule)
on conflict (channel, audience) do update
set title = excluded.title, kind = excluded.kind, rule = excluded.rule
returning *;

-- name: add_missing
-- The audiences that a scenario names and nobody has made yet, made empty.
insert into audiences (channel, audience, title, kind)
select :channel, name, name, 'upload' from unnest(:names::text[]) as name
on conflict do nothing
returning audience;

-- name: watch!
with unwatched as (
    select channel, audience from audiences
    where channel = :channel and audience = any(:names::text[]) and not watched
    order by audience
    for update
)
update audiences set watched = true
from unwatched
where audiences.channel = unwatched.channel and audiences.audience = unwatched.audience;

-- name: get^
select audiences.*,
    (select count(*) from audience_members as member
     where member.channel = audiences.channel and member.audience = audiences.audience) as members
from audiences where channel = :channel and audience = :audience;

-- name: all
select audiences.*,
    (select count(*) from audience_members as member
     where member.channel = audiences.channel and member.audience = audiences.audience) as members
from audiences where channel = :channel order by audience;

-- name: of_tag
select audience from audiences
where channel = :channel and kind = 'tag' and rule ->> 'tag' = :tag
order by audience
for share;

-- name: join$
-- A membership and the change that others must hear of are written together, or neither is.
with joined as (
    insert into audience_members (channel, audience, friend, joined_at, reason)
    select :channel, :audience, friend, :at, :reason
    from (select distinct unnest(:friends::text[]) as friend order by 1) as listed
    on conflict do nothing
    returning channel, audience, friend, joined_at, reason
), told as (
    insert into audience_changes (channel, audience, friend, change, changed_at, reason)
    select channel, audience, friend, 'joined', joined_at, reason from joined
)
select count(*) from joined;

-- name: leave$
with gone as (
    delete from audience_members
    where channel = :channel and audience = :audience and friend = any(:friends::text[])
    returning channel, audience, friend
), told as (
    insert into audience_changes (channel, audience, friend, change, changed_at, reason)
    select channel, audience, friend, 'left', :at, :reason from gone
)
select count(*) from gone;

-- name: carriers_of_tag
select friend from tags where channel = :channel and tag = :tag;

-- name: members_of
select friend, joined_at, reason from audience_members
where channel = :channel and audience = :audience and friend > :after
order by friend limit :limit;

-- name: memberships_among
select audience from audience_members
where channel = :channel and friend = :friend and audience = any(:audiences::text[]);

-- name: memberships_of
select audience, joined_at, reason from audience_members
where channel = :channel and friend = :friend order by audience;
