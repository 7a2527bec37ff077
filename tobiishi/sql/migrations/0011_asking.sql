-- When LINE was last asked to take the message, until it is kept what it answered: a worker that died
-- in between has perhaps sent it.
alter table deliveries add column asking_at timestamptz;
