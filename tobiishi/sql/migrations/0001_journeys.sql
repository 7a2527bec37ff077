-- Channels, friends, audiences, scenarios, journeys, and what passed between them and LINE.

create table channels (
    channel text primary key,
    title text not null,
    -- Encrypted: see tobiishi/vault.py.
    secret bytea not null,
    access_token bytea not null,
    api_base_url text not null,
    created_at timestamptz not null default now()
);

create table friends (
    channel text not null references channels,
    -- LINE's user id.
    friend text not null,
    status text not null check (status in ('following', 'blocked')),
    -- Time of the webhook event that told the status: events arrive in any order.
    status_at timestamptz not null,
    -- The route the friend was added by, where known.
    route text,
    -- What the shop told us: gender, birthday or age, region, os, language.
    attributes jsonb not null default '{}',
    -- From LINE's profile.
    display_name text,
    language text,
    profile_at timestamptz,
    created_at timestamptz not null default now(),
    primary key (channel, friend)
);

create table tags (
    channel text not null,
    friend text not null,
    tag text not null,
    tagged_at timestamptz not null,
    primary key (channel, friend, tag)
);

create table audiences (
    channel text not null references channels,
    audience text not null,
    title text not null,
    -- What makes a friend a member: 'upload' (listed) or 'tag' (carries the tag in `rule`).
    kind text not null check (kind in ('upload', 'tag')),
    rule jsonb not null default '{}',
    -- Whether a journey may start or end on a change of it: only then do uploads tell of changes,
    -- which may be a million.
    watched boolean not null default false,
    created_at timestamptz not null default now(),
    primary key (channel, audience)
);

create table audience_members (
    channel text not null,
    audience text not null,
    friend text not null,
    joined_at timestamptz not null,
    reason text not null,
    -- No foreign key: a million members would be looked up one by one.
    primary key (channel, audience, friend)
);

-- Written together with a membership that changes; a relay turns each into what follows from it.
create table audience_changes (
    id bigint generated always as identity primary key,
    channel text not null,
    audience text not null,
    friend text not null,
    change text not null check (change in ('joined', 'left')),
    changed_at timestamptz not null,
    reason text not null,
    attempts int not null default 0,
    -- At once; not now(): the relay goes by its own clock, which may be behind.
    retry_at timestamptz not null default '-infinity'
);
create index audience_changes_of_friend on audience_changes (channel, friend, id);

create table scenario_versions (
    channel text not null references channels,
    scenario text not null,
    version int not null,
    title text not null,
    -- The file as the marketer wrote it, and as it was read.
    source text not null,
    -- json, not jsonb: the fields of a message stay in the order they were written in.
    definition json not null,
    -- The audience whose joining starts a journey; null where adding the friend does.
    start_audience text,
    published_at timestamptz not null,
    primary key (channel, scenario, version)
);

-- The version of each scenario that new journeys take.
create table scenarios (
    channel text not null,
    scenario text not null,
    version int not null,
    primary key (channel, scenario),
    foreign key (channel, scenario, version) references scenario_versions
);

create table journeys (
    id bigint generated always as identity primary key,
    channel text not null,
    scenario text not null,
    version int not null,
    friend text not null,
    -- How many times this friend has entered this scenario, from 1.
    entry int not null,
    -- What started it, in words.
    why text not null,
    started_at timestamptz not null,
    -- Why it must end early: set before the workflow is told, so that no send slips between.
    stopping text check (stopping in ('exited', 'unfollowed', 'stopped')),
    stopping_because text,
    ended_at timestamptz,
    outcome text,
    unique (channel, scenario, friend, entry),
    foreign key (channel, friend) references friends,
    foreign key (channel, scenario, version) references scenario_versions
);
create unique index journeys_one_alive on journeys (channel, scenario, friend) where ended_at is null;
create index journeys_of_friend on journeys (channel, friend);

-- Which journeys must hear of which audience: looked up by (audience, friend) at each change.
create table journey_interests (
    channel text not null,
    audience text not null,
    friend text not null,
    journey_id bigint not null references journeys on delete cascade,
    -- The change that ends the journey.
    exit_on text not null check (exit_on in ('joined', 'left')),
    primary key (channel, audience, friend, journey_id, exit_on)
);
create index journey_interests_of_journey on journey_interests (journey_id);

-- What each journey did and why, for people.
create table trail (
    id bigint generated always as identity primary key,
    journey_id bigint not null references journeys on delete cascade,
    step text not null,
    visit int not null,
    at timestamptz not null,
    said text not null,
    detail jsonb not null default '{}',
    unique (journey_id, step, visit)
);

-- The ledger: a row for each message that a journey came to send.
create table deliveries (
    retry_key uuid primary key,
    journey_id bigint not null references journeys,
    channel text not null,
    friend text not null,
    step text not null,
    visit int not null,
    -- The message's name in its scenario.
    message text not null,
    -- claimed: being sent. sent: LINE accepted it. refused: LINE will not take it.
    -- skipped: not sent, and why. unknown: may or may not have been accepted; never sent blind.
    status text not null check (status in ('claimed', 'sent', 'refused', 'skipped', 'unknown')),
    -- LINE's words, or ours, for any status but sent.
    reason text,
    claimed_at timestamptz not null,
    attempts int not null default 1,
    -- First attempt after which LINE may or may not have accepted the message.
    ambiguous_at timestamptz,
    settled_at timestamptz,
    -- LINE's x-line-request-id of the accepted request, and the ids of the sent messages.
    request_id text,
    message_ids text[] not null default '{}'
);
create index deliveries_of_journey on deliveries (journey_id);

-- Every webhook event, kept before LINE is answered. `body` is json, not jsonb: LINE's text may
-- hold \u0000, which jsonb refuses.
create table webhook_events (
    channel text not null references channels,
    webhook_event_id text not null,
    type text not null,
    friend text,
    occurred_at timestamptz not null,
    received_at timestamptz not null,
    body json not null,
    handled_at timestamptz,
    attempts int not null default 0,
    retry_at timestamptz not null default '-infinity',
    error text,
    primary key (channel, webhook_event_id)
);
-- In the order they are taken in.
create index webhook_events_unhandled on webhook_events (received_at, occurred_at)
    where handled_at is null;

-- What Temporal must be told, written together with the reason for it.
create table outbox (
    id bigint generated always as identity primary key,
    journey_id bigint not null references journeys on delete cascade,
    kind text not null check (kind in ('start', 'stop')),
    attempts int not null default 0,
    retry_at timestamptz not null default '-infinity',
    error text
);
create index outbox_of_journey on outbox (journey_id);
