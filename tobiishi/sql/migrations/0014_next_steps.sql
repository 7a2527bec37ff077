-- Where everybody is: the next step of each journey under way, and when it is due. Null until the
-- journey's first plan is made, and for those that entered under an older release until they take a
-- step. Temporal carries the same plan; it is brought back from here where Temporal lost it.
alter table journeys
    add column next_action text,
    -- Path of the step in the scenario's tree; empty at the end.
    add column next_step text,
    add column next_visit int,
    add column next_due timestamptz,
    -- Path of the wait that it is in; empty where in none.
    add column next_wait text;
create index journeys_due on journeys (channel, next_due) where ended_at is null;
