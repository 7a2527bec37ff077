-- Messages that a friend's act may go back to. Perhaps still being sent: a friend is quick, and LINE's
-- answer to us may be lost.
create view traced_deliveries as
select
    deliveries.channel, deliveries.friend, deliveries.status, deliveries.claimed_at,
    deliveries.postbacks, deliveries.videos, deliveries.message_ids,
    journeys.scenario, deliveries.message, deliveries.retry_key
from deliveries join journeys on journeys.id = deliveries.journey_id
where deliveries.status in ('claimed', 'sent', 'unknown');
