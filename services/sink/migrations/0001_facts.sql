-- Where the sink reads next. Written in the transaction that writes the rows, so that the two never disagree.
CREATE TABLE sink_offsets (
    topic       text    NOT NULL,
    partition   integer NOT NULL,
    next_offset bigint  NOT NULL,
    PRIMARY KEY (topic, partition)
);

CREATE TABLE cameras (
    camera_id        text PRIMARY KEY,
    description      text,
    camera_group     text,
    department       text,
    division         text,
    zone             text,
    described_at     timestamptz,
    last_seen_at     timestamptz,
    heartbeat_at     timestamptz,
    heartbeat_source text,
    -- Cashier before entrance before store, by whole words: "still" holds no till, "aggregate" no gate.
    camera_category  text NOT NULL GENERATED ALWAYS AS (
        CASE
            WHEN coalesce(description, '') || ' / ' || coalesce(zone, '')
                 ~* '\y(cashier|kasir|checkout|till|payment|counter)\y' THEN 'cashier'
            WHEN coalesce(description, '') || ' / ' || coalesce(zone, '')
                 ~* '\y(entrance|entry|gate|front door)\y' THEN 'entrance'
            ELSE 'store'
        END
    ) STORED
);

-- One row an appearance: all its reports merged.
CREATE TABLE appearances (
    camera_id          text        NOT NULL,
    appearance_key     text        NOT NULL,
    subject_id         text        NOT NULL,
    started_at         timestamptz NOT NULL,
    ended_at           timestamptz NOT NULL,
    reported_at        timestamptz NOT NULL,
    age_group          text        NOT NULL,
    gender             text        NOT NULL,
    person_id          text,
    person_reported_at timestamptz,
    poi_id             text,
    poi_reported_at    timestamptz,
    source             text        NOT NULL,
    extra              jsonb       NOT NULL,
    PRIMARY KEY (camera_id, appearance_key),
    CHECK (ended_at >= started_at)
);
CREATE INDEX appearances_by_subject ON appearances (camera_id, subject_id, started_at);
CREATE INDEX appearances_by_start ON appearances (started_at);

CREATE TABLE sessions (
    session_id       text PRIMARY KEY,
    camera_id        text             NOT NULL,
    subject_id       text             NOT NULL,
    started_at       timestamptz      NOT NULL,
    ended_at         timestamptz      NOT NULL,
    dwell_seconds    double precision NOT NULL,
    visible_seconds  double precision NOT NULL,
    appearance_count integer          NOT NULL,
    age_group        text             NOT NULL,
    gender           text             NOT NULL,
    status           text             NOT NULL,
    absorbed_into    text,
    revision         bigint           NOT NULL,
    CHECK (ended_at >= started_at)
);
CREATE INDEX sessions_by_start ON sessions (started_at, session_id) WHERE status = 'active';
CREATE INDEX sessions_by_camera ON sessions (camera_id, started_at) WHERE status = 'active';
CREATE INDEX sessions_by_end ON sessions (ended_at) WHERE status = 'active';
CREATE INDEX sessions_by_subject ON sessions (subject_id) WHERE status = 'active';

CREATE TABLE occupancy_minutes (
    camera_id      text             NOT NULL,
    minute         timestamptz      NOT NULL,
    occupancy_avg  double precision NOT NULL,
    occupancy_peak integer          NOT NULL,
    entries        integer          NOT NULL,
    exits          integer          NOT NULL,
    revision       bigint           NOT NULL,
    PRIMARY KEY (camera_id, minute)
);
CREATE INDEX occupancy_minutes_by_minute ON occupancy_minutes (minute);

CREATE TABLE insights (
    insight_id            text PRIMARY KEY,
    kind                  text             NOT NULL,
    camera_id             text             NOT NULL,
    started_at            timestamptz      NOT NULL,
    duration_seconds      double precision NOT NULL,
    subject_id            text,
    people_count          integer,
    severity              text,
    age_group             text             NOT NULL,
    gender                text             NOT NULL,
    source                text             NOT NULL,
    window_started_at     timestamptz      NOT NULL,
    window_ended_at       timestamptz      NOT NULL,
    occupancy_at_event    integer          NOT NULL,
    occupancy_peak        integer          NOT NULL,
    occupancy_avg         double precision NOT NULL,
    baseline_avg          double precision NOT NULL,
    sessions_in_window    integer          NOT NULL,
    session_id            text,
    session_dwell_seconds double precision,
    match                 text             NOT NULL,
    revision              bigint           NOT NULL,
    raw                   jsonb            NOT NULL
);
CREATE INDEX insights_by_start ON insights (started_at, insight_id);

CREATE TABLE alerts (
    alert_id     text PRIMARY KEY,
    kind         text             NOT NULL,
    severity     text             NOT NULL,
    camera_id    text             NOT NULL,
    subject_id   text,
    session_id   text,
    event_time   timestamptz      NOT NULL,
    ended_at     timestamptz,
    measured     double precision NOT NULL,
    threshold    double precision NOT NULL,
    rule_id      text             NOT NULL,
    rule_version integer          NOT NULL,
    rule_name    text             NOT NULL,
    status       text             NOT NULL,
    live         boolean          NOT NULL,
    revision     bigint           NOT NULL
);
CREATE INDEX alerts_by_time ON alerts (event_time, alert_id);

CREATE TABLE alert_rules (
    rule_id          text PRIMARY KEY,
    version          integer          NOT NULL,
    name             text             NOT NULL,
    kind             text             NOT NULL,
    threshold        double precision NOT NULL,
    severity         text             NOT NULL,
    updated_at       timestamptz      NOT NULL,
    camera_ids       text[]           NOT NULL,
    cooldown_seconds double precision NOT NULL,
    enabled          boolean          NOT NULL,
    deleted          boolean          NOT NULL
);

CREATE TABLE quarantine (
    quarantine_id  text PRIMARY KEY,
    camera_id      text,
    source         text        NOT NULL,
    reason_code    text        NOT NULL,
    reason         text        NOT NULL,
    quarantined_at timestamptz NOT NULL,
    raw            bytea       NOT NULL
);
CREATE INDEX quarantine_by_time ON quarantine (quarantined_at, quarantine_id);
CREATE INDEX quarantine_by_source ON quarantine (source text_pattern_ops);
