-- name: lock!
-- One publication of a scenario at a time, so that versions count up without a gap.
select pg_advisory_xact_lock(hashtextextended('publish ' || :channel || ' ' || :scenario, 0));

-- name: latest^
select * from scenario_versions where channel = :channel and scenario = :scenario
order by version desc limit 1;

-- name: add!
insert into scenario_versions
    (channel, scenario, version, title, source, definition, start_audience, published_at, author,
        note)
values
    (:channel, :scenario, :version, :title, :source, :definition, :start_audience, :published_at,
        :author, :note);

-- name: make_live!
insert into scenarios (channel, scenario, version) values (:channel, :scenario, :version)
on conflict (channel, scenario) do update set version = excluded.version;

-- name: live_version$
select version from scenarios where channel = :channel and scenario = :scenario;

-- name: retire!
delete from scenarios where channel = :channel and scenario = :scenario;

-- name: get^
select * from scenario_versions
where channel = :channel and scenario = :scenario and version = :version;

-- name: live
select scenario_versions.* from scenarios join scenario_versions using (channel, scenario, version)
where channel = :channel order by scenario;

-- name: retired
select distinct on (scenario) scenario_versions.* from scenario_versions
where channel = :channel and not exists (
    select from scenarios
    where scenarios.channel = :channel and scenarios.scenario = scenario_versions.scenario
)
order by scenario, version desc;

-- name: live_started_by_friend_add
select scenario_versions.* from scenarios join scenario_versions using (channel, scenario, version)
where channel = :channel and start_audience is null order by scenario;

-- name: live_started_by_audience
select scenario_versions.* from scenarios join scenario_versions using (channel, scenario, version)
where channel = :channel and start_audience = :audience order by scenario;

-- name: versions_of
select * from scenario_versions where channel = :channel and scenario = :scenario
order by version desc;

-- name: routes_of
select route from routes where channel = :channel order by route;
