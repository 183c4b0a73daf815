"""The sink's writer fed by hand, and reports for it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import asyncpg
import msgspec
from msgspec.structs import replace

from services.common.events.appearances import Appearance, subject_id_of
from services.common.events.sessions import Session
from services.common.topics import Topic
from services.sink.domain.batch import Batch, Partition, Placed
from services.sink.writer import Writer
from tests.support import stored

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
CAMERA = "c1"
GAP = timedelta(seconds=60)


class Sink:
    """The writer, fed with one partition of appearances and one of sessions."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._writer = Writer(pool, lambda _: GAP)
        self._reports: list[Appearance] = []
        self._ends = {Topic.APPEARANCES: 0, Topic.SESSIONS: 0}

    async def hears(self, *records: Sequence[Appearance]) -> int:
        """Takes in records of reports; returns the offset of the last."""
        first = self._ends[Topic.APPEARANCES]
        self._reports += [report for record in records for report in record]
        await self._write(Topic.APPEARANCES, [(first + number, list(each)) for number, each in enumerate(records)])
        return self._ends[Topic.APPEARANCES] - 1

    async def is_told(self, sessions: Sequence[Session]) -> int:
        """Takes in session records; returns how many it had to put right."""
        return await self._write(Topic.SESSIONS, [(self._ends[Topic.SESSIONS], list(sessions))])

    async def _write(self, topic: Topic, records: Sequence[tuple[int, list[Any]]]) -> int:
        if not records:
            return 0
        placed = [Placed(item, topic, 0, offset, n) for offset, items in records for n, item in enumerate(items)]
        expected: dict[Partition, int] = {(topic, 0): self._ends[topic]}
        await self._writer.offsets(expected)
        self._ends[topic] = records[-1][0] + 1
        written = await self._writer.write(Batch({(topic, 0): self._ends[topic]}, {topic: placed}), expected)
        assert written.quarantined == []
        return written.repaired

    async def starts_anew(self) -> None:
        """Reads what it has read again, into the tables as they are."""
        await self._pool.execute("TRUNCATE sink_offsets")
        self._reports.clear()
        self._ends = dict.fromkeys(self._ends, 0)

    async def outbox(self) -> list[Session]:
        rows = await self._pool.fetch("SELECT session FROM session_outbox ORDER BY outbox_id")
        return [msgspec.convert(row["session"], Session) for row in rows]

    async def sessions(self) -> stored.Rows:
        return await stored.sessions(self._pool, [CAMERA])

    def right(self) -> stored.Rows:
        return stored.sessions_of(self._reports, GAP)


def seen(key: str, start: float, end: float, person: str | None = "ann", **fields: Any) -> Appearance:
    return Appearance(
        appearance_key=key,
        appearance_id=key,
        camera_id=CAMERA,
        subject_id=subject_id_of(person, None, key),
        person_id=person,
        started_at=NOON + timedelta(seconds=start),
        ended_at=NOON + timedelta(seconds=end),
        reported_at=NOON + timedelta(seconds=end),
        source="test",
        **fields,
    )


def random_report(random: Random) -> Appearance:
    key, start = f"k{random.randrange(10)}", random.randrange(20) * 30
    report = seen(key, start, start + random.choice([0, 1, 30, 90]), person=random.choice([None, "ann", "bob"]))
    gender, reported_at = random.choice(["other", "male"]), NOON + timedelta(seconds=random.randrange(4))
    return replace(report, gender=gender, reported_at=reported_at)
