-- Whether the session was ever looked at because its processor may have forgotten something of it. What that holds of
-- the session may be wrong in ways that show only later, so whatever it tells of it is looked at from then on.
ALTER TABLE sessions ADD COLUMN doubted boolean NOT NULL DEFAULT false;
UPDATE sessions SET doubted = true WHERE revision % 2 = 1;
-- Asked for with every batch, and nearly empty.
CREATE INDEX sessions_doubted ON sessions (session_id) WHERE doubted;
