-- Friends who are to be forgotten; the row goes with the last of them.

create table forgettings (
    channel text not null references channels,
    friend text not null,
    asked_at timestamptz not null,
    attempts int not null default 0,
    retry_at timestamptz not null default '-infinity',
    error text,
    primary key (channel, friend)
);

-- What is kept for a time only is found by its age.
create index webhook_events_handled on webhook_events (handled_at) where handled_at is not null;
create index webhook_events_of_friend on webhook_events (channel, friend);
create index events_of_site_by_age on events (occurred_at) where source = 'site';
create index audience_members_of_friend on audience_members (channel, friend);
