-- Friends who enter a scenario once their former journey through it, which is being stopped, has ended.
create table pending_entries (
    id bigint generated always as identity primary key,
    channel text not null,
    friend text not null,
    scenario text not null,
    -- The version that was live when they came to enter. They enter the one that is live then.
    version int not null,
    why text not null,
    since timestamptz not null,
    -- The audience changes that call it off, as they would have ended the journey.
    exits text[] not null,
    attempts int not null default 0,
    retry_at timestamptz not null default '-infinity',
    error text,
    unique (channel, friend, scenario),
    -- A release that does not know this table forgets friends all the same.
    foreign key (channel, friend) references friends on delete cascade
);

-- Whether journeys under way were stopped and woken for a change whose other consequences are due.
alter table audience_changes
    add column journeys_told boolean not null default false,
    add column error text;
