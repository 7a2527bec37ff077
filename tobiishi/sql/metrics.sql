-- name: queues
-- What waits in each queue, and since when its oldest does that is not stuck.
select 'webhook_events' as queue, count(*) as waiting,
    min(received_at) filter (where attempts < :stuck_after) as since
from webhook_events where handled_at is null
union all
select 'audience_changes', count(*), min(changed_at) filter (where attempts < :stuck_after)
from audience_changes
union all
select 'pending_entries', count(*), min(since) filter (where attempts < :stuck_after)
from pending_entries
union all
select 'outbox', count(*), min(ordered_at) filter (where attempts < :stuck_after) from outbox;

-- name: stuck
select 'webhook_events' as queue, count(*) as count
from webhook_events where handled_at is null and attempts >= :stuck_after
union all
select 'audience_changes', count(*) from audience_changes where attempts >= :stuck_after
union all
select 'pending_entries', count(*) from pending_entries where attempts >= :stuck_after
union all
select 'outbox', count(*) from outbox where attempts >= :stuck_after
union all
select 'enrolments', count(*) from enrolments where not told and attempts >= :stuck_after
union all
select 'forgettings', count(*) from forgettings where attempts >= :stuck_after;

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
