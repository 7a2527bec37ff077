-- What holds sends back: one row, and all journeys that it concerns wait at their next send.

create table holds (
    channel text not null references channels,
    -- Whom it concerns: the channel, one of its scenarios, or one friend.
    scope text not null check (scope in ('channel', 'scenario', 'friend')),
    -- The scenario's name or the friend's id; empty for the channel.
    name text not null default '',
    -- paused: an operator said so. token: LINE does not take the channel's access token.
    -- quota: the month's messages are used up.
    kind text not null check (kind in ('paused', 'token', 'quota')),
    reason text not null,
    since timestamptz not null,
    -- When it ends by itself.
    until timestamptz,
    primary key (channel, scope, name, kind)
);
