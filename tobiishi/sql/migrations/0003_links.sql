-- Links and images of messages that lead through us. A link is of a message, not of a friend: who
-- was sent it is in the token of its address.
create table links (
    id bigint generated always as identity primary key,
    channel text not null references channels,
    -- The message, by its name in its scenario.
    scenario text not null,
    message text not null,
    kind text not null check (kind in ('link', 'image')),
    -- As the message has it. Nothing else is ever redirected to.
    url text not null,
    -- An index takes no long texts.
    url_md5 text not null generated always as (md5(url)) stored,
    unique (channel, scenario, message, kind, url_md5)
);
