-- Up to when Kafka has all that a source of the connector gives: where it goes on after a gap or a restart.
CREATE TABLE corsight_cursors (
    source      text        PRIMARY KEY,
    complete_at timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL DEFAULT now()
);
