-- What was found in recorded video, a row an origin. Its times are the video's, so that nothing counts by them.
CREATE TABLE forensic_appearances (
    camera_id          text        NOT NULL,
    appearance_key     text        NOT NULL,
    origin             text        NOT NULL,
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
    PRIMARY KEY (camera_id, appearance_key, origin),
    CHECK (ended_at >= started_at)
);
CREATE INDEX forensic_appearances_by_subject ON forensic_appearances (subject_id);
