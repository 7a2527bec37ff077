-- The shop's own sites: only there are friends recognised, and only from there is anything told.

create table sites (
    channel text not null references channels,
    -- Lower case, as browsers say it; with its port where that is not the usual one.
    host text not null,
    created_at timestamptz not null default now(),
    primary key (channel, host)
);
