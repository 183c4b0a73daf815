-- What a back-fill came to; null where it failed, and for a test.
ALTER TABLE source_commands
    ADD COLUMN rows_read bigint,
    ADD COLUMN accepted  bigint,
    ADD COLUMN rejected  bigint;
CREATE INDEX source_commands_filled ON source_commands (source, answered_at) WHERE command = 'backfill';
