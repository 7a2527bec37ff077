-- What is counted for those who watch over it.
alter table outbox add column ordered_at timestamptz not null default now();
create index deliveries_claimed on deliveries (channel) where status = 'claimed';
create index deliveries_unknown on deliveries (channel) where status = 'unknown';
create index journeys_under_way on journeys (channel, scenario) where ended_at is null;
