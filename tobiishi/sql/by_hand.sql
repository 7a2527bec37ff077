-- name: last^
-- The friend's last journey through the scenario, under way or over.
select * from journeys
where channel = :channel and scenario = :scenario and friend = :friend
order by entry desc limit 1;

-- name: call_off$
delete from pending_entries
where channel = :channel and scenario = :scenario and friend = :friend
returning true;
