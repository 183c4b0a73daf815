-- What people do, written by the gateway: users, uploads, acknowledgements, the audit trail.
CREATE TABLE users (
    user_id       uuid PRIMARY KEY,
    email         text        NOT NULL UNIQUE,
    password_hash text        NOT NULL,
    role          text        NOT NULL CHECK (role IN ('viewer', 'operator', 'analyst', 'admin')),
    created_at    timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE uploads (
    upload_id         uuid PRIMARY KEY,
    sha256            text        NOT NULL,
    file_name         text        NOT NULL,
    kind              text,
    status            text        NOT NULL CHECK (status IN ('received', 'processing', 'completed', 'failed')),
    timezone          text        NOT NULL,
    rows_total        bigint      NOT NULL DEFAULT 0,
    rows_accepted     bigint      NOT NULL DEFAULT 0,
    rows_rejected     bigint      NOT NULL DEFAULT 0,
    rejects_by_reason jsonb       NOT NULL DEFAULT '{}',
    bytes_done        bigint      NOT NULL DEFAULT 0,
    bytes_total       bigint      NOT NULL,
    warnings          jsonb       NOT NULL DEFAULT '[]',
    summary           jsonb,
    error             text,
    created_at        timestamptz NOT NULL DEFAULT now(),
    completed_at      timestamptz,
    uploaded_by       text        NOT NULL
);
-- The same bytes count once; a file that failed may be tried again.
CREATE UNIQUE INDEX uploads_by_content ON uploads (sha256) WHERE status <> 'failed';
CREATE INDEX uploads_by_time ON uploads (created_at, upload_id);

CREATE TABLE alert_acknowledgements (
    alert_id        text PRIMARY KEY,
    acknowledged_at timestamptz NOT NULL DEFAULT now(),
    acknowledged_by text        NOT NULL
);

CREATE TABLE audit (
    audit_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at       timestamptz NOT NULL DEFAULT now(),
    actor    text        NOT NULL,
    action   text        NOT NULL,
    target   text,
    detail   jsonb       NOT NULL DEFAULT '{}'
);
