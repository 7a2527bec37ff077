-- Who published a version, and what they noted of it; null where nobody said.
alter table scenario_versions add column author text;
alter table scenario_versions add column note text;

-- Whether somebody decided by hand that the friend enters: then neither `reentry` nor the scenario's
-- start has a say once the former journey has ended. The release before this one asks both.
alter table pending_entries add column by_hand boolean not null default false;
