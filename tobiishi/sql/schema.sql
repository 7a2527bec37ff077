-- The schema that the migrations add up to, to be read; nothing runs it. Written by `make schema`.

CREATE FUNCTION follows_from(kind text, rule jsonb, source text, event text, scenario text, message text, url text) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    AS $$
    select coalesce(case kind
        when 'click' then
            source = 'message' and event = 'click'
            and scenario = rule ->> 'scenario' and message = rule ->> 'message'
            and (rule ->> 'url' is null or url = rule ->> 'url')
        when 'impression' then
            source = 'message' and rule -> 'evidence' ? event
            and scenario = rule ->> 'scenario' and message = rule ->> 'message'
        when 'web' then
            source = 'site'
            and (rule ->> 'event' is null or event = rule ->> 'event')
            and (rule -> 'url' is null
                or url = rule #>> '{url,equals}'
                or starts_with(url, rule #>> '{url,starts_with}')
                or position(rule #>> '{url,contains}' in url) > 0)
    end, false)
$$;

CREATE FUNCTION follows_from(kind text, rule jsonb, source text, event text, scenario text, message text, url text, detail jsonb) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    AS $$
    select follows_from(kind, rule, source, event, scenario, message, url)
        and (kind <> 'impression' or rule ->> 'data' is null
            or coalesce(event = 'postback' and detail ->> 'data' = rule ->> 'data', false));
$$;

CREATE TABLE audience_changes (
    id bigint NOT NULL,
    channel text NOT NULL,
    audience text NOT NULL,
    friend text NOT NULL,
    change text NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    reason text NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    retry_at timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    journeys_told boolean DEFAULT false NOT NULL,
    error text,
    CONSTRAINT audience_changes_change_check CHECK ((change = ANY (ARRAY['joined'::text, 'left'::text, 'known'::text])))
);

ALTER TABLE audience_changes ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY;

CREATE TABLE audience_members (
    channel text NOT NULL,
    audience text NOT NULL,
    friend text NOT NULL,
    joined_at timestamp with time zone NOT NULL,
    reason text NOT NULL,
    expires_at timestamp with time zone
);

CREATE TABLE audiences (
    channel text NOT NULL,
    audience text NOT NULL,
    title text NOT NULL,
    kind text NOT NULL,
    rule jsonb DEFAULT '{}'::jsonb NOT NULL,
    watched boolean DEFAULT false NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    parts text[] DEFAULT '{}'::text[] NOT NULL,
    asks_of_friend boolean DEFAULT false NOT NULL,
    CONSTRAINT audiences_kind_check CHECK ((kind = ANY (ARRAY['upload'::text, 'tag'::text, 'click'::text, 'impression'::text, 'route'::text, 'web'::text, 'combined'::text])))
);

CREATE TABLE birthdays (
    day date NOT NULL
);

CREATE TABLE channels (
    channel text NOT NULL,
    title text NOT NULL,
    secret bytea NOT NULL,
    access_token bytea NOT NULL,
    api_base_url text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    login_channel_id text,
    login_channel_secret bytea,
    basic_id text,
    CONSTRAINT channels_login_check CHECK (((login_channel_id IS NULL) = (login_channel_secret IS NULL)))
);

CREATE TABLE deliveries (
    retry_key uuid NOT NULL,
    journey_id bigint NOT NULL,
    channel text NOT NULL,
    friend text NOT NULL,
    step text NOT NULL,
    visit integer NOT NULL,
    message text NOT NULL,
    status text NOT NULL,
    reason text,
    claimed_at timestamp with time zone NOT NULL,
    attempts integer DEFAULT 1 NOT NULL,
    ambiguous_at timestamp with time zone,
    settled_at timestamp with time zone,
    request_id text,
    message_ids text[] DEFAULT '{}'::text[] NOT NULL,
    postbacks text[] DEFAULT '{}'::text[] NOT NULL,
    videos text[] DEFAULT '{}'::text[] NOT NULL,
    asking_at timestamp with time zone,
    CONSTRAINT deliveries_status_check CHECK ((status = ANY (ARRAY['claimed'::text, 'sent'::text, 'refused'::text, 'skipped'::text, 'unknown'::text])))
);

CREATE TABLE enrolments (
    id bigint NOT NULL,
    channel text NOT NULL,
    scenario text NOT NULL,
    version integer NOT NULL,
    audience text NOT NULL,
    status text DEFAULT 'running'::text NOT NULL,
    because text,
    note text DEFAULT ''::text NOT NULL,
    cursor text DEFAULT ''::text NOT NULL,
    entered integer DEFAULT 0 NOT NULL,
    had_entered integer DEFAULT 0 NOT NULL,
    blocked integer DEFAULT 0 NOT NULL,
    too_late integer DEFAULT 0 NOT NULL,
    total integer NOT NULL,
    per_second integer DEFAULT 100 NOT NULL,
    rate real,
    page_at timestamp with time zone,
    started_at timestamp with time zone NOT NULL,
    finished_at timestamp with time zone,
    told boolean DEFAULT false NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    retry_at timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    error text,
    CONSTRAINT enrolments_per_second_check CHECK (((per_second >= 1) AND (per_second <= 1000))),
    CONSTRAINT enrolments_status_check CHECK ((status = ANY (ARRAY['running'::text, 'paused'::text, 'cancelled'::text, 'done'::text])))
);

ALTER TABLE enrolments ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY;

CREATE TABLE events (
    id bigint NOT NULL,
    channel text NOT NULL,
    friend text NOT NULL,
    source text NOT NULL,
    event text NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    scenario text,
    message text,
    url text,
    detail jsonb DEFAULT '{}'::jsonb NOT NULL,
    key text,
    CONSTRAINT events_source_check CHECK ((source = ANY (ARRAY['message'::text, 'site'::text])))
);

ALTER TABLE events ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY;

CREATE TABLE forgettings (
    channel text NOT NULL,
    friend text NOT NULL,
    asked_at timestamp with time zone NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    retry_at timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    error text
);

CREATE TABLE friends (
    channel text NOT NULL,
    friend text NOT NULL,
    status text NOT NULL,
    status_at timestamp with time zone NOT NULL,
    route text,
    attributes jsonb DEFAULT '{}'::jsonb NOT NULL,
    display_name text,
    language text,
    profile_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    number bigint NOT NULL,
    seen jsonb DEFAULT '{}'::jsonb NOT NULL,
    CONSTRAINT friends_status_check CHECK ((status = ANY (ARRAY['following'::text, 'blocked'::text])))
);

ALTER TABLE friends ALTER COLUMN number ADD GENERATED ALWAYS AS IDENTITY;

CREATE TABLE holds (
    channel text NOT NULL,
    scope text NOT NULL,
    name text DEFAULT ''::text NOT NULL,
    kind text NOT NULL,
    reason text NOT NULL,
    since timestamp with time zone NOT NULL,
    until timestamp with time zone,
    CONSTRAINT holds_kind_check CHECK ((kind = ANY (ARRAY['paused'::text, 'token'::text, 'quota'::text]))),
    CONSTRAINT holds_scope_check CHECK ((scope = ANY (ARRAY['channel'::text, 'scenario'::text, 'friend'::text])))
);

CREATE TABLE journey_interests (
    channel text NOT NULL,
    audience text NOT NULL,
    friend text NOT NULL,
    journey_id bigint NOT NULL,
    change text CONSTRAINT journey_interests_exit_on_not_null NOT NULL,
    leads_to text DEFAULT 'exit'::text NOT NULL,
    step text DEFAULT ''::text NOT NULL,
    came boolean DEFAULT false NOT NULL,
    CONSTRAINT journey_interests_exit_on_check CHECK ((change = ANY (ARRAY['joined'::text, 'left'::text]))),
    CONSTRAINT journey_interests_leads_to_check CHECK ((leads_to = ANY (ARRAY['exit'::text, 'wake'::text])))
);

CREATE TABLE journeys (
    id bigint NOT NULL,
    channel text NOT NULL,
    scenario text NOT NULL,
    version integer NOT NULL,
    friend text NOT NULL,
    entry integer NOT NULL,
    why text NOT NULL,
    started_at timestamp with time zone NOT NULL,
    stopping text,
    stopping_because text,
    ended_at timestamp with time zone,
    outcome text,
    next_action text,
    next_step text,
    next_visit integer,
    next_due timestamp with time zone,
    next_wait text,
    CONSTRAINT journeys_stopping_check CHECK ((stopping = ANY (ARRAY['exited'::text, 'unfollowed'::text, 'stopped'::text, 'refused'::text])))
);

ALTER TABLE journeys ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY;

CREATE TABLE links (
    id bigint NOT NULL,
    channel text NOT NULL,
    scenario text NOT NULL,
    message text NOT NULL,
    kind text NOT NULL,
    url text NOT NULL,
    url_md5 text GENERATED ALWAYS AS (md5(url)) STORED NOT NULL,
    CONSTRAINT links_kind_check CHECK ((kind = ANY (ARRAY['link'::text, 'image'::text])))
);

ALTER TABLE links ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY;

CREATE TABLE migrations (
    name text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE outbox (
    id bigint NOT NULL,
    journey_id bigint NOT NULL,
    kind text NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    retry_at timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    error text,
    ordered_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT outbox_kind_check CHECK ((kind = ANY (ARRAY['start'::text, 'stop'::text, 'wake'::text])))
);

ALTER TABLE outbox ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY;

CREATE TABLE past_memberships (
    id bigint NOT NULL,
    channel text NOT NULL,
    audience text NOT NULL,
    friend text NOT NULL,
    joined_at timestamp with time zone NOT NULL,
    reason text NOT NULL,
    left_at timestamp with time zone NOT NULL,
    left_reason text NOT NULL
);

ALTER TABLE past_memberships ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY;

CREATE TABLE pending_entries (
    id bigint NOT NULL,
    channel text NOT NULL,
    friend text NOT NULL,
    scenario text NOT NULL,
    version integer NOT NULL,
    why text NOT NULL,
    since timestamp with time zone NOT NULL,
    exits text[] NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    retry_at timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    error text,
    by_hand boolean DEFAULT false NOT NULL
);

ALTER TABLE pending_entries ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY;

CREATE TABLE quotas (
    channel text NOT NULL,
    asked_at timestamp with time zone NOT NULL,
    told_at timestamp with time zone,
    monthly integer,
    used integer
);

CREATE TABLE route_visits (
    id bigint NOT NULL,
    channel text NOT NULL,
    route text NOT NULL,
    login text NOT NULL,
    friend text,
    opened_at timestamp with time zone NOT NULL,
    returned_at timestamp with time zone NOT NULL,
    friendship_changed boolean,
    was_friend boolean NOT NULL,
    followed_at timestamp with time zone
);

ALTER TABLE route_visits ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY;

CREATE TABLE routes (
    channel text NOT NULL,
    route text NOT NULL,
    title text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE scenario_versions (
    channel text NOT NULL,
    scenario text NOT NULL,
    version integer NOT NULL,
    title text NOT NULL,
    source text NOT NULL,
    definition json NOT NULL,
    start_audience text,
    published_at timestamp with time zone NOT NULL,
    author text,
    note text
);

CREATE TABLE scenarios (
    channel text NOT NULL,
    scenario text NOT NULL,
    version integer NOT NULL
);

CREATE TABLE sites (
    channel text NOT NULL,
    host text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE tags (
    channel text NOT NULL,
    friend text NOT NULL,
    tag text NOT NULL,
    tagged_at timestamp with time zone NOT NULL
);

CREATE VIEW traced_deliveries AS
 SELECT deliveries.channel,
    deliveries.friend,
    deliveries.status,
    deliveries.claimed_at,
    deliveries.postbacks,
    deliveries.videos,
    deliveries.message_ids,
    journeys.scenario,
    deliveries.message,
    deliveries.retry_key
   FROM (deliveries
     JOIN journeys ON ((journeys.id = deliveries.journey_id)))
  WHERE (deliveries.status = ANY (ARRAY['claimed'::text, 'sent'::text, 'unknown'::text]));

CREATE TABLE trail (
    id bigint NOT NULL,
    journey_id bigint NOT NULL,
    step text NOT NULL,
    visit integer NOT NULL,
    at timestamp with time zone NOT NULL,
    said text NOT NULL,
    detail jsonb DEFAULT '{}'::jsonb NOT NULL
);

ALTER TABLE trail ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY;

CREATE TABLE webhook_events (
    channel text NOT NULL,
    webhook_event_id text NOT NULL,
    type text NOT NULL,
    friend text,
    occurred_at timestamp with time zone NOT NULL,
    received_at timestamp with time zone NOT NULL,
    body json NOT NULL,
    handled_at timestamp with time zone,
    attempts integer DEFAULT 0 NOT NULL,
    retry_at timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    error text
);

ALTER TABLE ONLY audience_changes
    ADD CONSTRAINT audience_changes_pkey PRIMARY KEY (id);

ALTER TABLE ONLY audience_members
    ADD CONSTRAINT audience_members_pkey PRIMARY KEY (channel, audience, friend);

ALTER TABLE ONLY audiences
    ADD CONSTRAINT audiences_pkey PRIMARY KEY (channel, audience);

ALTER TABLE ONLY channels
    ADD CONSTRAINT channels_pkey PRIMARY KEY (channel);

ALTER TABLE ONLY deliveries
    ADD CONSTRAINT deliveries_pkey PRIMARY KEY (retry_key);

ALTER TABLE ONLY enrolments
    ADD CONSTRAINT enrolments_pkey PRIMARY KEY (id);

ALTER TABLE ONLY events
    ADD CONSTRAINT events_channel_key_key UNIQUE (channel, key);

ALTER TABLE ONLY events
    ADD CONSTRAINT events_pkey PRIMARY KEY (id);

ALTER TABLE ONLY forgettings
    ADD CONSTRAINT forgettings_pkey PRIMARY KEY (channel, friend);

ALTER TABLE ONLY friends
    ADD CONSTRAINT friends_number_key UNIQUE (number);

ALTER TABLE ONLY friends
    ADD CONSTRAINT friends_pkey PRIMARY KEY (channel, friend);

ALTER TABLE ONLY holds
    ADD CONSTRAINT holds_pkey PRIMARY KEY (channel, scope, name, kind);

ALTER TABLE ONLY journey_interests
    ADD CONSTRAINT journey_interests_pkey PRIMARY KEY (channel, audience, friend, journey_id, change, leads_to, step);

ALTER TABLE ONLY journeys
    ADD CONSTRAINT journeys_channel_scenario_friend_entry_key UNIQUE (channel, scenario, friend, entry);

ALTER TABLE ONLY journeys
    ADD CONSTRAINT journeys_pkey PRIMARY KEY (id);

ALTER TABLE ONLY links
    ADD CONSTRAINT links_channel_scenario_message_kind_url_md5_key UNIQUE (channel, scenario, message, kind, url_md5);

ALTER TABLE ONLY links
    ADD CONSTRAINT links_pkey PRIMARY KEY (id);

ALTER TABLE ONLY migrations
    ADD CONSTRAINT migrations_pkey PRIMARY KEY (name);

ALTER TABLE ONLY outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (id);

ALTER TABLE ONLY past_memberships
    ADD CONSTRAINT past_memberships_pkey PRIMARY KEY (id);

ALTER TABLE ONLY pending_entries
    ADD CONSTRAINT pending_entries_channel_friend_scenario_key UNIQUE (channel, friend, scenario);

ALTER TABLE ONLY pending_entries
    ADD CONSTRAINT pending_entries_pkey PRIMARY KEY (id);

ALTER TABLE ONLY quotas
    ADD CONSTRAINT quotas_pkey PRIMARY KEY (channel);

ALTER TABLE ONLY route_visits
    ADD CONSTRAINT route_visits_channel_login_key UNIQUE (channel, login);

ALTER TABLE ONLY route_visits
    ADD CONSTRAINT route_visits_pkey PRIMARY KEY (id);

ALTER TABLE ONLY routes
    ADD CONSTRAINT routes_pkey PRIMARY KEY (channel, route);

ALTER TABLE ONLY scenario_versions
    ADD CONSTRAINT scenario_versions_pkey PRIMARY KEY (channel, scenario, version);

ALTER TABLE ONLY scenarios
    ADD CONSTRAINT scenarios_pkey PRIMARY KEY (channel, scenario);

ALTER TABLE ONLY sites
    ADD CONSTRAINT sites_pkey PRIMARY KEY (channel, host);

ALTER TABLE ONLY tags
    ADD CONSTRAINT tags_pkey PRIMARY KEY (channel, friend, tag);

ALTER TABLE ONLY trail
    ADD CONSTRAINT trail_journey_id_step_visit_key UNIQUE (journey_id, step, visit);

ALTER TABLE ONLY trail
    ADD CONSTRAINT trail_pkey PRIMARY KEY (id);

ALTER TABLE ONLY webhook_events
    ADD CONSTRAINT webhook_events_pkey PRIMARY KEY (channel, webhook_event_id);

CREATE INDEX audience_changes_of_friend ON audience_changes USING btree (channel, friend, id);

CREATE INDEX audience_members_expiring ON audience_members USING btree (expires_at) WHERE (expires_at IS NOT NULL);

CREATE INDEX audience_members_of_friend ON audience_members USING btree (channel, friend);

CREATE INDEX deliveries_of_friend ON deliveries USING btree (channel, friend, claimed_at DESC);

CREATE INDEX deliveries_of_journey ON deliveries USING btree (journey_id);

CREATE INDEX deliveries_to_look_at ON deliveries USING btree (channel, status, claimed_at, retry_key) WHERE (status = ANY (ARRAY['claimed'::text, 'unknown'::text, 'refused'::text]));

CREATE UNIQUE INDEX enrolments_one_alive ON enrolments USING btree (channel, scenario) WHERE (status = ANY (ARRAY['running'::text, 'paused'::text]));

CREATE INDEX enrolments_untold ON enrolments USING btree (id) WHERE (NOT told);

CREATE INDEX events_of_friend ON events USING btree (channel, friend, occurred_at DESC);

CREATE INDEX events_of_message ON events USING btree (channel, scenario, message, event);

CREATE INDEX events_of_site ON events USING btree (channel, event, occurred_at) WHERE (source = 'site'::text);

CREATE INDEX events_of_site_by_age ON events USING btree (occurred_at) WHERE (source = 'site'::text);

CREATE INDEX friends_of_birthday ON friends USING btree ("right"((attributes ->> 'birthday'::text), 5)) WHERE (attributes ? 'birthday'::text);

CREATE INDEX journey_interests_of_journey ON journey_interests USING btree (journey_id);

CREATE INDEX journeys_due ON journeys USING btree (channel, next_due) WHERE (ended_at IS NULL);

CREATE INDEX journeys_of_friend ON journeys USING btree (channel, friend);

CREATE UNIQUE INDEX journeys_one_alive ON journeys USING btree (channel, scenario, friend) WHERE (ended_at IS NULL);

CREATE INDEX journeys_under_way ON journeys USING btree (channel, scenario) WHERE (ended_at IS NULL);

CREATE INDEX outbox_of_journey ON outbox USING btree (journey_id);

CREATE INDEX past_memberships_of_friend ON past_memberships USING btree (channel, friend, audience);

CREATE INDEX route_visits_of_friend ON route_visits USING btree (channel, friend) WHERE (friend IS NOT NULL);

CREATE INDEX route_visits_of_route ON route_visits USING btree (channel, route);

CREATE INDEX route_visits_undecided ON route_visits USING btree (returned_at) WHERE ((friend IS NOT NULL) AND (followed_at IS NULL));

CREATE INDEX webhook_events_handled ON webhook_events USING btree (handled_at) WHERE (handled_at IS NOT NULL);

CREATE INDEX webhook_events_of_friend ON webhook_events USING btree (channel, friend);

CREATE INDEX webhook_events_unhandled ON webhook_events USING btree (received_at, occurred_at) WHERE (handled_at IS NULL);

ALTER TABLE ONLY audiences
    ADD CONSTRAINT audiences_channel_fkey FOREIGN KEY (channel) REFERENCES channels(channel);

ALTER TABLE ONLY deliveries
    ADD CONSTRAINT deliveries_journey_id_fkey FOREIGN KEY (journey_id) REFERENCES journeys(id);

ALTER TABLE ONLY enrolments
    ADD CONSTRAINT enrolments_channel_scenario_version_fkey FOREIGN KEY (channel, scenario, version) REFERENCES scenario_versions(channel, scenario, version);

ALTER TABLE ONLY events
    ADD CONSTRAINT events_channel_fkey FOREIGN KEY (channel) REFERENCES channels(channel);

ALTER TABLE ONLY forgettings
    ADD CONSTRAINT forgettings_channel_fkey FOREIGN KEY (channel) REFERENCES channels(channel);

ALTER TABLE ONLY friends
    ADD CONSTRAINT friends_channel_fkey FOREIGN KEY (channel) REFERENCES channels(channel);

ALTER TABLE ONLY holds
    ADD CONSTRAINT holds_channel_fkey FOREIGN KEY (channel) REFERENCES channels(channel);

ALTER TABLE ONLY journey_interests
    ADD CONSTRAINT journey_interests_journey_id_fkey FOREIGN KEY (journey_id) REFERENCES journeys(id) ON DELETE CASCADE;

ALTER TABLE ONLY journeys
    ADD CONSTRAINT journeys_channel_friend_fkey FOREIGN KEY (channel, friend) REFERENCES friends(channel, friend);

ALTER TABLE ONLY journeys
    ADD CONSTRAINT journeys_channel_scenario_version_fkey FOREIGN KEY (channel, scenario, version) REFERENCES scenario_versions(channel, scenario, version);

ALTER TABLE ONLY links
    ADD CONSTRAINT links_channel_fkey FOREIGN KEY (channel) REFERENCES channels(channel);

ALTER TABLE ONLY outbox
    ADD CONSTRAINT outbox_journey_id_fkey FOREIGN KEY (journey_id) REFERENCES journeys(id) ON DELETE CASCADE;

ALTER TABLE ONLY pending_entries
    ADD CONSTRAINT pending_entries_channel_friend_fkey FOREIGN KEY (channel, friend) REFERENCES friends(channel, friend) ON DELETE CASCADE;

ALTER TABLE ONLY quotas
    ADD CONSTRAINT quotas_channel_fkey FOREIGN KEY (channel) REFERENCES channels(channel);

ALTER TABLE ONLY route_visits
    ADD CONSTRAINT route_visits_channel_route_fkey FOREIGN KEY (channel, route) REFERENCES routes(channel, route) ON DELETE CASCADE;

ALTER TABLE ONLY routes
    ADD CONSTRAINT routes_channel_fkey FOREIGN KEY (channel) REFERENCES channels(channel);

ALTER TABLE ONLY scenario_versions
    ADD CONSTRAINT scenario_versions_channel_fkey FOREIGN KEY (channel) REFERENCES channels(channel);

ALTER TABLE ONLY scenarios
    ADD CONSTRAINT scenarios_channel_scenario_version_fkey FOREIGN KEY (channel, scenario, version) REFERENCES scenario_versions(channel, scenario, version);

ALTER TABLE ONLY sites
    ADD CONSTRAINT sites_channel_fkey FOREIGN KEY (channel) REFERENCES channels(channel);

ALTER TABLE ONLY trail
    ADD CONSTRAINT trail_journey_id_fkey FOREIGN KEY (journey_id) REFERENCES journeys(id) ON DELETE CASCADE;

ALTER TABLE ONLY webhook_events
    ADD CONSTRAINT webhook_events_channel_fkey FOREIGN KEY (channel) REFERENCES channels(channel);
