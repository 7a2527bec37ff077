-- name: queues
-- What waits in each queue, and since when its oldest does.
select 'webhook_events' as queue, count(*) as waiting, min(received_at) as since
from webhook_events where handled_at is null
union all
select 'audience_changes', count(*), min(changed_at) from audience_changes
union all
select 'outbox', count(*), min(ordered_at) from outbox;

-- name: journeys
select channel, scenario, count(*) as count from journeys
where ended_at is null
group by channel, scenario;

-- name: deliveries
select channel, status, count(*) as count from deliveries
where status in ('claimed', 'unknown')
group by channel, status;

-- name: holds
select channel, kind, count(*) as count from holds
where until is null or until > :at
group by channel, kind;

-- name: quotas
select channel, monthly, used, told_at from quotas where monthly is not null and told_at is not null;
