-- What LINE or a shop stamped with a moment to come was believed: what was learned of a friend later
-- was ignored, and memberships never ended. From now on such a moment counts as that of its coming,
-- which is no longer known of these: as now.
update friends set status_at = now() where status_at > now();
update events set occurred_at = now() where occurred_at > now();
update audience_members as member
set expires_at = now() + (rule ->> 'days')::int * interval '1 day'
from audiences
where audiences.channel = member.channel and audiences.audience = member.audience
    and expires_at > now() + (rule ->> 'days')::int * interval '1 day';
