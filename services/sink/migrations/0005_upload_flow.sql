-- How an upload comes from its bytes to the charts, and back out of them.
ALTER TABLE uploads
    DROP CONSTRAINT uploads_status_check,
    ADD CONSTRAINT uploads_status_check CHECK (
        status IN ('received', 'processing', 'needs_decision', 'completed', 'failed', 'cancelled', 'withdrawn')
    ),
    ADD COLUMN phase text CHECK (phase IN ('receiving', 'parsing', 'publishing', 'settling', 'done')),
    -- Grows with every new beginning: what a worker of an earlier one still writes changes nothing.
    ADD COLUMN attempt integer NOT NULL DEFAULT 1,
    -- Read whole before anything of it is published, and in the request where that is possible.
    ADD COLUMN is_small boolean NOT NULL DEFAULT false,
    -- Somebody decided to import the good rows however many are refused.
    ADD COLUMN is_decided boolean NOT NULL DEFAULT false,
    ADD COLUMN withdrawing boolean NOT NULL DEFAULT false,
    -- Some of its rows may be there, acknowledged or not.
    ADD COLUMN in_kafka boolean NOT NULL DEFAULT false,
    -- Behind the last acknowledged chunk: counts and the place in the file to go on from.
    ADD COLUMN checkpoint jsonb,
    -- Topic → partition → the offset behind what was published.
    ADD COLUMN published jsonb NOT NULL DEFAULT '{}',
    -- While it settles: the stage, and the offsets that are waited for.
    ADD COLUMN awaited jsonb;

UPDATE uploads
SET phase = CASE status WHEN 'completed' THEN 'done' WHEN 'processing' THEN 'parsing' WHEN 'received' THEN 'receiving' END,
    in_kafka = rows_accepted > 0 OR status = 'processing';

-- The same bytes count once; what failed, was cancelled or withdrawn may come again.
DROP INDEX uploads_by_content;
CREATE UNIQUE INDEX uploads_by_content ON uploads (sha256) WHERE status NOT IN ('failed', 'cancelled', 'withdrawn');
CREATE INDEX uploads_settling ON uploads (created_at) WHERE phase = 'settling';
