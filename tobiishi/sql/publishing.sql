-- name: lock!
-- One publication of a scenario at a time, so that versions count up without a gap.
select pg_advisory_xact_lock(hashtextextended('publish ' || :channel || ' ' || :scenario, 0));

-- name: latest^
select * from scenario_versions where channel = :channel and scenario = :scenario
order by version desc limit 1;

-- name: add!
insert into scenario_versions
    (channel, scenario, version, title, source, definition, start_audience, published_at)
values
    (:channel, :scenario, :version, :title, :source, :definition, :start_audience, :published_at);

-- name: make_live!
insert into scenarios (channel, scenario, version) values (:channel, :scenario, :version)
on conflict (channel, scenario) do update set version = excluded.version;

-- name: get^
select * from scenario_versions
where channel = :channel and scenario = :scenario and version = :version;

-- name: live
select scenario_versions.* from scenarios join scenario_versions using (channel, scenario, version)
where channel = :channel order by scenario;

-- name: live_started_by_friend_add
select scenario_versions.* from scenarios join scenario_versions using (channel, scenario, version)
where channel = :channel and start_audience is null order by scenario;

-- name: live_started_by_audience
select scenario_versions.* from scenarios join scenario_versions using (channel, scenario, version)
where channel = :channel and start_audience = :audience order by scenario;

-- name: versions_of
select * from scenario_versions where channel = :channel and scenario = :scenario
order by version desc;
