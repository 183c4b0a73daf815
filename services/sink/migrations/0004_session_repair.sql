-- What the sink needs to find session records that were computed without all their appearances, and to put them right.

-- Of the first report, counted as session records count: how many appearances a record can have known of.
ALTER TABLE appearances ADD COLUMN first_revision bigint NOT NULL DEFAULT 0;

-- A subject's neighbouring sessions; serves whatever asks for the subject alone, too.
CREATE INDEX sessions_by_visitor ON sessions (subject_id, camera_id, started_at) WHERE status = 'active';
DROP INDEX sessions_by_subject;

-- Where a report may have misled a processor that forgot: looked at once the camera's session records reach the revision.
CREATE TABLE session_checks (
    camera_id  text        NOT NULL,
    subject_id text        NOT NULL,
    started_at timestamptz NOT NULL,
    ended_at   timestamptz NOT NULL,
    revision   bigint      NOT NULL
);
CREATE INDEX session_checks_by_camera ON session_checks (camera_id, revision);

-- Repaired records, until sessions.v1 has them.
CREATE TABLE session_outbox (
    outbox_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    session   jsonb NOT NULL
);
