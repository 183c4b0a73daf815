"""Merged insights into their table, and those that nobody reports any more out of it."""

from collections.abc import Iterable

import asyncpg

from services.common.events.insights import MergedInsight
from services.common.topics import Topic
from services.sink.domain.rows import newest
from services.sink.statements import execute_each
from services.sink.tables import TABLES

TABLE = TABLES[Topic.INSIGHTS_MERGED]

_WITHDRAW = """
INSERT INTO insight_withdrawals AS stored (insight_id, revision) VALUES ($1, $2)
ON CONFLICT (insight_id) DO UPDATE SET revision = excluded.revision WHERE excluded.revision > stored.revision
"""

_DROP = """
DELETE FROM insights USING insight_withdrawals AS withdrawn
WHERE insights.insight_id = ANY($1) AND withdrawn.insight_id = insights.insight_id
      AND withdrawn.revision >= insights.revision
"""


async def store_insights(connection: asyncpg.Connection, told: Iterable[MergedInsight]) -> None:
    found = newest(told, TABLE.key_of, TABLE.revision_of)
    await TABLE.put(connection, [each for each in found if not each.withdrawn])
    await execute_each(connection, _WITHDRAW, [(each.insight_id, each.revision) for each in found if each.withdrawn])
    await connection.execute(_DROP, [each.insight_id for each in found])
