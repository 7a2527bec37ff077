-- Which button was pressed is kept with the event, and an audience may ask for it. The function
-- without `detail` stays for the release before this one.
create function follows_from(
    kind text, rule jsonb, source text, event text, scenario text, message text, url text,
    detail jsonb
) returns boolean language sql immutable as $$
    select follows_from(kind, rule, source, event, scenario, message, url)
        and (kind <> 'impression' or rule ->> 'data' is null
            or coalesce(event = 'postback' and detail ->> 'data' = rule ->> 'data', false));
$$;
