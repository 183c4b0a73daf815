-- What became of refused rows, written by the gateway. Apart from `quarantine`, which the sink writes anew when it reads
-- its topic again.
CREATE TABLE quarantine_resolutions (
    quarantine_id text PRIMARY KEY,
    source        text  NOT NULL,
    -- Of a fixed row: how it reads now, and the event that it became. Without them the row was dismissed.
    raw           bytea,
    topic         text,
    item          bytea,
    resolved_by   text  NOT NULL,
    -- Null until Kafka has acknowledged the event: whoever replays the row next publishes the same one.
    resolved_at   timestamptz,
    CHECK ((raw IS NULL) = (topic IS NULL) AND (raw IS NULL) = (item IS NULL)),
    CHECK (item IS NOT NULL OR resolved_at IS NOT NULL)
);
CREATE INDEX quarantine_resolutions_by_source ON quarantine_resolutions (source text_pattern_ops);
