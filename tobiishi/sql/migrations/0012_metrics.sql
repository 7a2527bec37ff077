-- What is counted for those who watch over it.
alter table outbox add column ordered_at timestamptz not null default now();
create index deliveries_to_look_at on deliveries (channel, status, claimed_at, retry_key)
    where status in ('claimed', 'unknown', 'refused');
create index journeys_under_way on journeys (channel, scenario) where ended_at is null;
