-- A journey may end because LINE refused one of its messages.
alter table journeys drop constraint journeys_stopping_check;
alter table journeys add constraint journeys_stopping_check
    check (stopping in ('exited', 'unfollowed', 'stopped', 'refused'));
