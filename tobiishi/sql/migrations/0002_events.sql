-- What friends do, and the audiences that follow from it.

alter table audiences drop constraint audiences_kind_check;
alter table audiences add constraint audiences_kind_check
    check (kind in ('upload', 'tag', 'click', 'impression', 'route', 'web', 'combined'));
-- Of a combined audience: those that its condition asks about.
alter table audiences add column parts text[] not null default '{}';
-- Of a combined audience: whether its condition asks about the friend too.
alter table audiences add column asks_of_friend boolean not null default false;

-- When the membership ends by itself.
alter table audience_members add column expires_at timestamptz;
create index audience_members_expiring on audience_members (expires_at)
    where expires_at is not null;

-- Memberships that are over: what they rested on, and what ended them.
create table past_memberships (
    id bigint generated always as identity primary key,
    channel text not null,
    audience text not null,
    friend text not null,
    joined_at timestamptz not null,
    reason text not null,
    left_at timestamptz not null,
    left_reason text not null
);
create index past_memberships_of_friend on past_memberships (channel, friend, audience);

-- 'known': something new is known of the friend, of no audience but of all that ask about it.
alter table audience_changes drop constraint audience_changes_change_check;
alter table audience_changes add constraint audience_changes_change_check
    check (change in ('joined', 'left', 'known'));

-- The last day whose birthdays were followed: they change ages, which combined audiences ask about.
create table birthdays (day date not null);
insert into birthdays values (current_date);
create index friends_of_birthday on friends (right(attributes ->> 'birthday', 5))
    where attributes ? 'birthday';

-- A short name of a friend, for links: LINE's user id is nobody's business.
alter table friends add column number bigint generated always as identity unique;
-- What was seen of the friend by itself: os, language. What the shop told counts first.
alter table friends add column seen jsonb not null default '{}';

-- What a friend was seen to do: in a message of ours, or on the shop's site.
create table events (
    id bigint generated always as identity primary key,
    channel text not null references channels,
    friend text not null,
    source text not null check (source in ('message', 'site')),
    -- Of a message: click, postback, reply, video, image. Of the site: page_view, purchase, …
    event text not null,
    occurred_at timestamptz not null,
    -- The message, by its name in its scenario.
    scenario text,
    message text,
    -- The link that was clicked, the image that was fetched, or the page.
    url text,
    -- What else was told, such as the items of a purchase.
    detail jsonb not null default '{}',
    -- Told again under the same key, it is the same event.
    key text,
    unique (channel, key)
);
create index events_of_friend on events (channel, friend, occurred_at desc);
create index events_of_message on events (channel, scenario, message, event);
create index events_of_site on events (channel, event, occurred_at) where source = 'site';

-- Whether an audience follows from an event: see tobiishi/scenario/rules.py.
create function follows_from(
    kind text, rule jsonb, source text, event text, scenario text, message text, url text
) returns boolean language sql immutable as $$
    select coalesce(case kind
        when 'click' then
            source = 'message' and event = 'click'
            and scenario = rule ->> 'scenario' and message = rule ->> 'message'
            and (rule ->> 'url' is null or url = rule ->> 'url')
        when 'impression' then
            source = 'message' and rule -> 'evidence' ? event
            and scenario = rule ->> 'scenario' and message = rule ->> 'message'
        when 'web' then
            source = 'site'
            and (rule ->> 'event' is null or event = rule ->> 'event')
            and (rule -> 'url' is null
                or url = rule #>> '{url,equals}'
                or starts_with(url, rule #>> '{url,starts_with}')
                or position(rule #>> '{url,contains}' in url) > 0)
    end, false)
$$;

-- What in a message tells who acted on it, kept before LINE is asked.
alter table deliveries add column postbacks text[] not null default '{}';
alter table deliveries add column videos text[] not null default '{}';
create index deliveries_of_friend on deliveries (channel, friend, claimed_at desc);

-- Journeys wait for an audience, too.
alter table journey_interests rename column exit_on to change;
alter table journey_interests add column leads_to text not null default 'exit'
    check (leads_to in ('exit', 'wake'));
-- Of a waiting: the step that waits, and whether the change came.
alter table journey_interests add column step text not null default '';
alter table journey_interests add column came boolean not null default false;
alter table journey_interests drop constraint journey_interests_pkey;
alter table journey_interests add primary key
    (channel, audience, friend, journey_id, change, leads_to, step);
alter table outbox drop constraint outbox_kind_check;
alter table outbox add constraint outbox_kind_check check (kind in ('start', 'stop', 'wake'));
