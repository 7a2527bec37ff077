-- name: take$
-- The channel that was asked about the longest ago, if that is long enough; asked about now.
insert into quotas (channel, asked_at)
select channels.channel, :now from channels left join quotas using (channel)
where asked_at is null or asked_at <= :before
order by asked_at nulls first, channels.channel
limit 1
on conflict (channel) do update set asked_at = excluded.asked_at
where quotas.asked_at <= :before
returning channel;

-- name: keep!
update quotas set told_at = :now, monthly = :monthly, used = :used where channel = :channel;

-- name: get^
select channel, monthly, used, told_at from quotas
where channel = :channel and told_at is not null;
