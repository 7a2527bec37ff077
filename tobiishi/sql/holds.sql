-- name: put^
-- Held already, it stays as it was; of two ends the later one counts.
insert into holds (channel, scope, name, kind, reason, since, until)
values (:channel, :scope, :name, :kind, :reason, :at, :until)
on conflict (channel, scope, name, kind) do update
set until = greatest(holds.until, excluded.until), reason = excluded.reason
returning *, xmax = 0 as is_new;

-- name: lift$
with lifted as (
    delete from holds
    where channel = :channel and scope = :scope and name = :name and kind = :kind
    returning 1
)
select count(*) from lifted;

-- name: all
select * from holds
where channel = :channel and (until is null or until > :at)
order by since;
