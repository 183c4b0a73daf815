"""What refused rows became once they were corrected.

A fix is written down before it is published and settled after Kafka has acknowledged it. One that was interrupted in
between is published again as it was written down, whatever the row is corrected to meanwhile: it may have arrived.
"""

from collections import Counter
from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from typing import Any

import asyncpg
import msgspec
from msgspec import Struct

from services.common.topics import SPECS, Topic

_READ_ROWS = 500


class Fix(Struct, frozen=True):
    """A refused row as it was corrected, and the event that it became."""

    quarantine_id: str
    source: str
    raw: bytes
    topic: Topic
    item: Any


async def write_down(connection: asyncpg.Connection, fixes: Iterable[Fix], actor: str) -> None:
    """The first fix of a row stays."""
    await connection.executemany(
        """
        INSERT INTO quarantine_resolutions (quarantine_id, source, raw, topic, item, resolved_by)
        VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING
        """,
        [(fix.quarantine_id, fix.source, fix.raw, fix.topic, msgspec.json.encode(fix.item), actor) for fix in fixes],
    )


async def unsettled(connection: asyncpg.Connection, quarantine_ids: Collection[str]) -> list[Fix]:
    """What of the rows is written down and still to be published."""
    rows = await connection.fetch(
        """
        SELECT quarantine_id, source, raw, topic, item FROM quarantine_resolutions
        WHERE quarantine_id = ANY($1) AND resolved_at IS NULL ORDER BY source
        """,
        list(quarantine_ids),
    )
    return [_fix(row) for row in rows]


async def settle(connection: asyncpg.Connection, fixes: Iterable[Fix]) -> Counter[str]:
    """The rows are out of the quarantine; returns by reason code how many nobody else had settled."""
    rows = await connection.fetch(
        """
        UPDATE quarantine_resolutions AS r SET resolved_at = now() FROM quarantine q
        WHERE r.quarantine_id = q.quarantine_id AND r.quarantine_id = ANY($1) AND r.resolved_at IS NULL
        RETURNING q.reason_code
        """,
        [fix.quarantine_id for fix in fixes],
    )
    return Counter(row["reason_code"] for row in rows)


async def count_as_accepted(connection: asyncpg.Connection, upload_id: str, settled: Counter[str]) -> None:
    """Within a transaction: the upload's settled rows move from the rejected to the accepted."""
    rejects = await connection.fetchval(
        "SELECT rejects_by_reason FROM uploads WHERE upload_id = $1 FOR UPDATE", upload_id
    )
    await connection.execute(
        """
        UPDATE uploads SET rows_accepted = rows_accepted + $2, rows_rejected = rows_rejected - $2,
                           rejects_by_reason = $3
        WHERE upload_id = $1
        """,
        upload_id,
        settled.total(),
        dict(Counter(rejects) - settled),
    )


async def fixes_of(connection: asyncpg.Connection, upload_id: str) -> AsyncIterator[Sequence[Fix]]:
    """Everything that an upload's fixed rows became, also what may only have arrived, in batches."""
    last = ""
    while True:
        rows = await connection.fetch(
            """
            SELECT quarantine_id, source, raw, topic, item FROM quarantine_resolutions
            WHERE source LIKE $1 AND item IS NOT NULL AND quarantine_id > $2 ORDER BY quarantine_id LIMIT $3
            """,
            f"upload:{upload_id}#%",
            last,
            _READ_ROWS,
        )
        if not rows:
            return
        yield [_fix(row) for row in rows]
        last = rows[-1]["quarantine_id"]


def _fix(row: asyncpg.Record) -> Fix:
    topic = Topic(row["topic"])
    return Fix(
        row["quarantine_id"], row["source"], row["raw"], topic, msgspec.json.decode(row["item"], type=SPECS[topic].item)
    )
