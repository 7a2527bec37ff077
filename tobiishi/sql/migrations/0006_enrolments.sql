-- Enrolments: a scenario is started for those who are in its audience already.

create table enrolments (
    id bigint generated always as identity primary key,
    channel text not null,
    scenario text not null,
    version int not null,
    -- Whose members enter.
    audience text not null,
    status text not null default 'running'
        check (status in ('running', 'paused', 'cancelled', 'done')),
    -- Why it was cancelled or found nobody more, in words.
    because text,
    -- What it waits for, in words; empty where for nothing.
    note text not null default '',
    -- The last friend that was looked at: they come in the order of their ids. Empty at the end.
    cursor text not null default '',
    entered int not null default 0,
    -- Looked at and passed over, by why.
    had_entered int not null default 0,
    blocked int not null default 0,
    too_late int not null default 0,
    -- Members when it began.
    total int not null,
    -- How many may enter in a second, at most.
    per_second int not null default 100 check (per_second between 1 and 1000),
    -- How many a second were looked at of late; null where that can't be told yet.
    rate real,
    -- When the last page was entered; null where none was since it began or went on.
    page_at timestamptz,
    started_at timestamptz not null,
    finished_at timestamptz,
    -- Whether Temporal knows what it must: that there is one, or that its status is another.
    told boolean not null default false,
    attempts int not null default 0,
    retry_at timestamptz not null default '-infinity',
    error text,
    foreign key (channel, scenario, version) references scenario_versions
);
create unique index enrolments_one_alive on enrolments (channel, scenario)
    where status in ('running', 'paused');
create index enrolments_untold on enrolments (id) where not told;
