-- Each descriptive field keeps the latest value that any report gave it, so each needs its own time: feeds that know no
-- group must not blank what an upload said. described_at is that of the description.
ALTER TABLE cameras
    ADD COLUMN camera_group_at timestamptz,
    ADD COLUMN department_at   timestamptz,
    ADD COLUMN division_at     timestamptz,
    ADD COLUMN zone_at         timestamptz;
