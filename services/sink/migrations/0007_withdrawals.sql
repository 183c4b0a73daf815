-- What it takes to withdraw what one origin reported, such as an upload, and to leave what the others did.

-- How many origins report it. The row is the whole report of a single one; of more, each has its row beside it.
ALTER TABLE appearances ADD COLUMN origins smallint NOT NULL DEFAULT 1;

CREATE TABLE appearance_reports (
    camera_id          text        NOT NULL,
    appearance_key     text        NOT NULL,
    origin             text        NOT NULL,
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
    first_revision     bigint      NOT NULL,
    PRIMARY KEY (camera_id, appearance_key, origin)
);

-- Until the camera's session records have come past a withdrawal, any of them may still count what was withdrawn.
ALTER TABLE session_checks ADD COLUMN withdrawn boolean NOT NULL DEFAULT false;
CREATE INDEX session_checks_withdrawn ON session_checks (camera_id, subject_id) WHERE withdrawn;

-- Of insights that nobody reports any more: what was told of them before must not bring them back.
CREATE TABLE insight_withdrawals (
    insight_id text PRIMARY KEY,
    revision   bigint NOT NULL
);
