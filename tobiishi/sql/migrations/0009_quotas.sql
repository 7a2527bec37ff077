-- How many messages LINE's plan leaves a channel this month, as LINE told last.

create table quotas (
    channel text primary key references channels,
    -- When LINE was asked last, whatever it said.
    asked_at timestamptz not null,
    -- When it last told; null where it never did.
    told_at timestamptz,
    -- Messages a month; null where there is no limit.
    monthly int,
    -- Messages sent this month, by LINE's own approximate count.
    used int
);
