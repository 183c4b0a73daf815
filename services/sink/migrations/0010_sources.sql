-- Between the connector and the gateway: what the connector says of its sources, and what people ask of them.
CREATE TABLE sources (
    name              text PRIMARY KEY,
    kind              text        NOT NULL,
    -- Whether the connector that started last was set up with it.
    configured        boolean     NOT NULL,
    refillable        boolean     NOT NULL,
    state             text        NOT NULL,
    detail            text        NOT NULL,
    newest_event_at   timestamptz,
    lag_seconds       double precision,
    events_per_minute bigint      NOT NULL,
    -- Since the first start, as far as a connector that was killed had written them down.
    accepted          bigint      NOT NULL,
    rejected          bigint      NOT NULL,
    unknown           bigint      NOT NULL,
    errors            jsonb       NOT NULL,
    next_retry_at     timestamptz,
    cursor_at         timestamptz,
    missed            jsonb       NOT NULL,
    warnings          jsonb       NOT NULL,
    updated_at        timestamptz NOT NULL,
    -- Of all columns the only one that the gateway writes; it holds over a restart of the connector.
    paused            boolean     NOT NULL DEFAULT false
);

CREATE TABLE source_commands (
    command_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source      text        NOT NULL REFERENCES sources (name),
    command     text        NOT NULL CHECK (command IN ('test', 'backfill')),
    since       timestamptz,
    until       timestamptz,
    asked_by    text        NOT NULL,
    asked_at    timestamptz NOT NULL DEFAULT now(),
    answered_at timestamptz,
    succeeded   boolean,
    answer      text,
    CHECK ((command = 'backfill') = (since IS NOT NULL AND until IS NOT NULL))
);
CREATE INDEX source_commands_waiting ON source_commands (command_id) WHERE answered_at IS NULL;
