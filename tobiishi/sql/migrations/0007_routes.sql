-- Routes by which people come to add the channel, and who came by them.

-- The LINE Login channel that tells who comes; its secret is encrypted: see tobiishi/vault.py.
alter table channels add column login_channel_id text;
alter table channels add column login_channel_secret bytea;
alter table channels add constraint channels_login_check
    check ((login_channel_id is null) = (login_channel_secret is null));
-- The account's `@…`, which links to add it are made of; null until LINE has told it.
alter table channels add column basic_id text;

create table routes (
    channel text not null references channels,
    route text not null,
    title text not null,
    created_at timestamptz not null default now(),
    primary key (channel, route)
);

create table route_visits (
    id bigint generated always as identity primary key,
    channel text not null,
    route text not null,
    -- The way through LINE Login: told again, it is the same visit.
    login text not null,
    -- LINE's user id; null once the visit can count for no adding any more.
    friend text,
    -- When the link was opened, and when LINE Login sent the visitor back.
    opened_at timestamptz not null,
    returned_at timestamptz not null,
    -- Whether they were added (or unblocked) on the way, as LINE said; null where it said nothing.
    friendship_changed boolean,
    -- Whether they were a friend already when they came.
    was_friend boolean not null,
    -- When they were added, where this is the visit that they were added by.
    followed_at timestamptz,
    unique (channel, login),
    foreign key (channel, route) references routes on delete cascade
);
create index route_visits_of_route on route_visits (channel, route);
create index route_visits_of_friend on route_visits (channel, friend) where friend is not null;
create index route_visits_undecided on route_visits (returned_at)
    where friend is not null and followed_at is null;
