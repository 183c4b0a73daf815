"""From acknowledged to visible: when the tables behind the charts hold all that follows from an upload.

What Kafka acknowledged passes through the processor, insights and the sink, each of which commits how far it is. So an
upload is settled once every reader has passed what its records led to: stage by stage, each with the ends of the next
logs as they were when the last reader of the logs before had passed.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import asyncpg
import msgspec
from msgspec import Struct

from services.common.kafka.groups import INSIGHTS, PROCESSOR, SINK
from services.common.kafka.offsets import OffsetReader, Places
from services.common.logging import get_logger
from services.common.topics import PARTITIONS, Topic
from services.gateway.uploads.job import Published
from services.gateway.uploads.work import Tell

log = get_logger(__name__)

STAGES: tuple[Mapping[Topic, tuple[str, ...]], ...] = (
    {
        Topic.APPEARANCES: (PROCESSOR, SINK),
        Topic.APPEARANCES_FORENSIC: (SINK,),
        Topic.INSIGHTS: (INSIGHTS,),
        Topic.QUARANTINE: (SINK,),
    },
    {Topic.SESSIONS: (SINK,)},
    # Once more: the sink may have repaired some, and told the topic of it.
    {Topic.SESSIONS: (INSIGHTS, SINK)},
    {Topic.OCCUPANCY: (SINK,), Topic.INSIGHTS_MERGED: (SINK,), Topic.ALERTS: (SINK,)},
)
"""Which logs are waited for, and the groups that must have passed them."""

_REPAIRS_TOLD = 2
"""The stage that begins once the repairs which the sink had found by then are out of its outbox."""

ROUND_SECONDS = 0.3
"""Between looks while uploads move; the pause grows by half with each look that finds them where they were."""

MAX_ROUND_SECONDS = 3.0
IDLE_SECONDS = 2.0
RETRY_SECONDS = 2.0

AT_ONCE = 200

_COMMITTED = {
    PROCESSOR: [(Topic.APPEARANCES, number) for number in range(PARTITIONS)],
    INSIGHTS: [(topic, number) for topic in (Topic.INSIGHTS, Topic.SESSIONS) for number in range(PARTITIONS)],
}
_LOGS = [(topic, number) for topic in {topic for stage in STAGES for topic in stage} for number in range(PARTITIONS)]


class Awaited(Struct):
    """`places`: topic → partition → offset; `outbox`: the newest repair that has to be told first."""

    stage: int
    places: Published
    outbox: int | None = None


@dataclass(frozen=True, slots=True)
class View:
    """How far everybody was when it was looked at: the readers first, then the outbox, then the ends of the logs."""

    readers: Mapping[str, Places]
    ends: Places
    oldest_repair: int | None = None
    newest_repair: int | None = None

    def has_passed(self, awaited: Awaited) -> bool:
        return all(
            # Of a log that was made anew the end is all there is.
            self.readers[group].get((topic, number), 0) >= min(offset, self.ends[topic, number])
            for topic, groups in STAGES[awaited.stage].items()
            for number, offset in awaited.places.get(topic, {}).items()
            for group in groups
        )


async def look(db: asyncpg.Pool, offsets: OffsetReader) -> View:
    readers = {group: await offsets.committed(group, places) for group, places in _COMMITTED.items()}
    stored = await db.fetch("SELECT topic, partition, next_offset FROM sink_offsets")
    readers[SINK] = {(Topic(row["topic"]), row["partition"]): row["next_offset"] for row in stored}
    repairs = await db.fetchrow("SELECT min(outbox_id) AS oldest, max(outbox_id) AS newest FROM session_outbox")
    ends = await offsets.ends(_LOGS)
    return View(readers, ends, repairs["oldest"] if repairs else None, repairs["newest"] if repairs else None)


def advance(awaited: Awaited, published: Published, view: View) -> Awaited | None:
    """What is to be waited for still; None once nothing is.

    Everything of a camera lies in the partitions of one number, so only those that the upload's items went to count.
    """
    numbers = {number for topic in (Topic.APPEARANCES, Topic.INSIGHTS) for number in published.get(topic, {})}
    while True:
        if awaited.outbox is not None:
            if view.oldest_repair is not None and view.oldest_repair <= awaited.outbox:
                return awaited
        elif not view.has_passed(awaited):
            return awaited
        elif awaited.stage + 1 == len(STAGES):
            return None
        elif awaited.stage + 1 == _REPAIRS_TOLD and view.newest_repair is not None:
            return Awaited(awaited.stage, {}, view.newest_repair)
        stage = awaited.stage + 1
        places = {topic: {number: view.ends[topic, number] for number in numbers} for topic in STAGES[stage]}
        awaited = Awaited(stage, places)


class Settler:
    """Follows what is acknowledged to where it is visible. Any number of gateways may do so at once."""

    def __init__(self, db: asyncpg.Pool, bootstrap: str, tell: Tell) -> None:
        self._db = db
        self._bootstrap = bootstrap
        self._tell = tell
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """Look at once instead of at the next turn."""
        self._wake.set()

    async def run(self) -> None:
        while True:
            try:
                async with OffsetReader(self._bootstrap, "gateway-settler") as offsets:
                    await self._follow(offsets)
            except Exception as error:
                log.warning("uploads are not followed to their end", error=f"{type(error).__name__}: {error}")
                await asyncio.sleep(RETRY_SECONDS)

    async def _follow(self, offsets: OffsetReader) -> None:
        waiting: Mapping[str, Awaited] = {}
        pause = ROUND_SECONDS
        while True:
            before, waiting = waiting, await self.settle(offsets)
            pause = min(pause * 1.5, MAX_ROUND_SECONDS) if waiting == before else ROUND_SECONDS
            if await self._rest(pause if waiting else IDLE_SECONDS):
                pause = ROUND_SECONDS

    async def _rest(self, seconds: float) -> bool:
        """Whether it was woken."""
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            return False
        self._wake.clear()
        return True

    async def settle(self, offsets: OffsetReader) -> Mapping[str, Awaited]:
        """Move every settling upload as far as it goes; those that are not settled yet, and what each waits for."""
        rows = await self._db.fetch(
            """
            SELECT upload_id::text, attempt, withdrawing, published, awaited FROM uploads WHERE phase = 'settling'
            ORDER BY created_at LIMIT $1
            """,
            AT_ONCE,
        )
        if not rows:
            return {}
        view = await look(self._db, offsets)
        left: dict[str, Awaited] = {}
        for row in rows:
            published = msgspec.convert(row["published"], Published, str_keys=True)
            awaited = Awaited(0, published)
            if row["awaited"]:
                awaited = msgspec.convert(row["awaited"], Awaited, str_keys=True)
            following = advance(awaited, published, view)
            if following is None:
                await self._settled(row)
            else:
                left[row["upload_id"]] = following
                if following != awaited:
                    await self._db.execute(_AWAIT, row["upload_id"], row["attempt"], following)
        return left

    async def _settled(self, row: asyncpg.Record) -> None:
        statement = _WITHDRAWN if row["withdrawing"] else _DONE
        async with self._db.acquire() as connection, connection.transaction():
            settled = await connection.fetchval(statement, row["upload_id"], row["attempt"])
            if settled and row["withdrawing"]:
                for forget in (_FORGET_REFUSALS, _FORGET_FIXES):
                    await connection.execute(forget, f"upload:{row['upload_id']}#%")
        if settled:
            log.info("upload settled", upload_id=row["upload_id"], withdrawn=row["withdrawing"])
            self._tell(row["upload_id"])


_AWAIT = "UPDATE uploads SET awaited = $3 WHERE upload_id = $1 AND attempt = $2 AND phase = 'settling'"

_DONE = """
UPDATE uploads SET phase = 'done', awaited = NULL
WHERE upload_id = $1 AND attempt = $2 AND phase = 'settling' AND NOT withdrawing RETURNING true
"""

_WITHDRAWN = """
UPDATE uploads SET status = 'withdrawn', phase = NULL, awaited = NULL, withdrawing = false, in_kafka = false,
                   checkpoint = NULL, completed_at = now()
WHERE upload_id = $1 AND attempt = $2 AND phase = 'settling' AND withdrawing RETURNING true
"""

_FORGET_REFUSALS = "DELETE FROM quarantine WHERE source LIKE $1"
_FORGET_FIXES = "DELETE FROM quarantine_resolutions WHERE source LIKE $1"
