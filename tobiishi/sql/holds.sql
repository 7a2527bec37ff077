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

-- name: on_send^
-- What holds this send back. A delivery that LINE may have accepted already is finished under its
-- retry key, which LINE forgets after a day: no pause is worth not knowing.
select * from holds
where channel = :channel
    and (scope, name) in (('channel', ''), ('scenario', :scenario), ('friend', :friend))
    and (until is null or until > :at)
    and (kind = 'token' or not exists (
        select from deliveries
        where retry_key = :retry_key and status = 'claimed'
            and coalesce(ambiguous_at, asking_at) is not null
    ))
order by since limit 1;
