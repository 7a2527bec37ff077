-- Who locks what, and in which order, so that no two wait for each other: who defines or deletes
-- audiences comes one at a time; then the friend's row, the audiences' rows in the order of their
-- names, and then the channel's definitions.

-- name: lock_defining!
select pg_advisory_xact_lock(hashtextextended('defining ' || :channel, 0));

-- name: lock_definitions!
-- While an audience is defined, nothing happens that one may follow from: each would miss the other.
select pg_advisory_xact_lock(hashtextextended('audiences ' || :channel, 0));

-- name: rely_on_definitions!
select pg_advisory_xact_lock_shared(hashtextextended('audiences ' || :channel, 0));

-- name: lock!
-- Its kind and its rule may change, once all who rely on them are done.
select from audiences where channel = :channel and audience = :audience for update;

-- name: rely_on!
select from audiences where channel = :channel and audience = :audience for share;

-- name: put!
insert into audiences (channel, audience, title, kind, rule, parts, asks_of_friend)
values (:channel, :audience, :title, :kind, :rule, :parts, :asks_of_friend)
on conflict (channel, audience) do update
set title = excluded.title, kind = excluded.kind, rule = excluded.rule,
    parts = excluded.parts, asks_of_friend = excluded.asks_of_friend;

-- name: add_missing
-- The audiences that a scenario names and nobody has made yet, made empty.
insert into audiences (channel, audience, title, kind)
select :channel, name, name, 'upload' from unnest(:names::text[]) as name
on conflict do nothing
returning audience;

-- name: report_changes_of!
with unreported as (
    select channel, audience from audiences
    where channel = :channel and audience = any(:names::text[]) and not watched
    order by audience
    for no key update
)
update audiences set watched = true
from unreported
where audiences.channel = unreported.channel and audiences.audience = unreported.audience;

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
order by audience;

-- name: of_route
select audience, rule ->> 'route' as route from audiences
where channel = :channel and kind = 'route'
order by audience;

-- name: of_event
select audience, events.occurred_at,
    events.occurred_at + (rule ->> 'days')::int * interval '1 day' as expires_at
from audiences join events using (channel)
where events.id = :event_id and follows_from(
    audiences.kind, rule, source, events.event, events.scenario, events.message, url, detail
)
order by audience;

-- name: combined_of
-- Those that may hold otherwise now. Where something new is known of a friend (''), all of them:
-- somebody of whom nothing was known may be in one that says `not`.
select audience, rule from audiences
where channel = :channel and kind = 'combined' and (:audience = '' or :audience = any(parts))
order by audience;

-- name: combined
select audience, parts from audiences where channel = :channel and kind = 'combined';

-- name: existing
select audience from audiences where channel = :channel and audience = any(:names::text[]);

-- name: join$
-- A membership and the change that others must hear of are written together, or neither is.
with joined as (
    insert into audience_members (channel, audience, friend, joined_at, reason, expires_at)
    select :channel, :audience, friend, :at, :reason, max(expires_at)
    from unnest(:friends::text[], :expires::timestamptz[]) as listed (friend, expires_at)
    group by friend
    order by friend
    on conflict (channel, audience, friend) do update set expires_at = excluded.expires_at
    where excluded.expires_at > audience_members.expires_at
    -- Of a row that was there before, Postgres tells who updated it.
    returning channel, audience, friend, joined_at, reason, xmax = 0 as is_new
), reported as (
    insert into audience_changes (channel, audience, friend, change, changed_at, reason)
    select channel, audience, friend, 'joined', joined_at, reason from joined where is_new
)
select count(*) from joined where is_new;

-- name: leave$
with gone as (
    delete from audience_members
    where channel = :channel and audience = :audience and friend = any(:friends::text[])
    returning *
), past as (
    insert into past_memberships
        (channel, audience, friend, joined_at, reason, left_at, left_reason)
    select channel, audience, friend, joined_at, reason, :at, :reason from gone
), reported as (
    insert into audience_changes (channel, audience, friend, change, changed_at, reason)
    select channel, audience, friend, 'left', :at, :reason from gone
)
select count(*) from gone;

-- name: take_expired
select channel, audience, friend, expires_at from audience_members
where expires_at <= :now
order by expires_at
limit :limit
for update skip locked;

-- name: reconsider!
insert into audience_changes (channel, audience, friend, change, changed_at, reason)
select :channel, '', friend, 'known', :at, 'known anew'
from (select distinct unnest(:friends::text[]) as friend order by 1) as listed
where exists (select from audiences where channel = :channel and kind = 'combined');

-- name: carriers_of_tag
select friend from tags where channel = :channel and tag = :tag;

-- name: added_by_route
select friend from friends where channel = :channel and route = :route;

-- name: seen_in_events
select friend,
    max(occurred_at) + (:rule::jsonb ->> 'days')::int * interval '1 day' as expires_at
from events
where channel = :channel and follows_from(
    :kind, :rule::jsonb, source, event, scenario, message, url, detail
)
group by friend;

-- name: who_may_be_in
-- Friends, and those of the parts whom nobody has met: page by page, in the order of their ids.
select friend from (
    select friend from friends where channel = :channel and friend > :after
    union
    select friend from audience_members
    where channel = :channel and audience = any(:parts::text[]) and friend > :after
) as people
order by friend limit :limit;

-- name: memberships_of_many
select friend, array_agg(audience) as audiences from audience_members
where channel = :channel and audience = any(:audiences::text[])
    and friend = any(:friends::text[]) and (expires_at is null or expires_at > :at)
group by friend;

-- name: members_of
select friend, joined_at, reason from audience_members
where channel = :channel and audience = :audience and friend > :after
order by friend limit :limit;

-- name: memberships_among
select audience from audience_members
where channel = :channel and friend = :friend and audience = any(:audiences::text[])
    and (expires_at is null or expires_at > :at);

-- name: memberships_of
select audience, joined_at, reason from audience_members
where channel = :channel and friend = :friend order by audience;

-- name: others
select friend from audience_members
where channel = :channel and audience = :audience and not friend = any(:friends::text[]);

-- name: forget_changes!
-- One that is in hand is not waited for: whoever has it may wait for the definitions in turn.
delete from audience_changes where id in (
    select id from audience_changes
    where channel = :channel and audience = :audience
    for update skip locked
);

-- name: rely_on_all
-- They stay; what is uploaded into them meanwhile need not be waited for.
select audience from audiences where channel = :channel and audience = any(:names::text[])
order by audience for key share;

-- name: asked_about_by
select audience from audiences
where channel = :channel and kind = 'combined' and :audience = any(parts) order by audience;

-- name: versions_under_way
select distinct scenario, version from journeys
where channel = :channel and ended_at is null order by scenario, version;

-- name: history_of
select joined_at, reason, left_at, left_reason from past_memberships
where channel = :channel and audience = :audience and friend = :friend
union all
select joined_at, reason, null, null from audience_members
where channel = :channel and audience = :audience and friend = :friend
order by joined_at;
