"""The tables that hold records as they come: which, and the statement that lets only a newer record replace one."""

from collections.abc import Sequence
from operator import attrgetter
from typing import Any

import asyncpg
from msgspec import Struct

from services.common.events.alerts import Alert, AlertRule
from services.common.events.insights import MergedInsight
from services.common.events.quarantine import Quarantined
from services.common.events.sessions import OccupancyMinute, Session
from services.common.topics import Topic


class Table(Struct, frozen=True):
    """A table whose columns are named as the fields of `item`.

    `revision` names what must be greater for a record to replace the stored one.
    `unstored` are fields without a column. `types` are those of the columns, where records come in bulk.
    """

    name: str
    item: type[Any]
    key: tuple[str, ...]
    revision: tuple[str, ...]
    unstored: tuple[str, ...] = ()
    types: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(name for name in self.item.__struct_fields__ if name not in self.unstored)

    async def put(self, connection: asyncpg.Connection, items: Sequence[Any]) -> None:
        """Store the items, at most one a key, in place of older ones."""
        if not items:
            return
        rows = list(map(attrgetter(*self.columns), items))
        if self.types:
            await connection.execute(self._upsert, *zip(*rows, strict=True))
        else:
            await connection.executemany(self._upsert, rows)

    @property
    def _upsert(self) -> str:
        columns = self.columns
        if self.types:
            arrays = ", ".join(f"${number}::{name}[]" for number, name in enumerate(self.types, 1))
            source = f"SELECT * FROM unnest({arrays})"  # noqa: S608 - our own names
        else:
            source = f"VALUES ({', '.join(f'${number}' for number in range(1, len(columns) + 1))})"
        return (
            f"INSERT INTO {self.name} AS stored ({', '.join(columns)}) {source}"
            f" ON CONFLICT ({', '.join(self.key)}) DO UPDATE SET {self._changes(columns)}"
        )

    def _changes(self, columns: tuple[str, ...]) -> str:
        changes = ", ".join(f"{column} = excluded.{column}" for column in columns if column not in self.key)
        new = ", ".join(f"excluded.{column}" for column in self.revision)
        old = ", ".join(f"stored.{column}" for column in self.revision)
        return f"{changes} WHERE ({new}) > ({old})"

    def key_of(self, item: Any) -> tuple[Any, ...]:
        return tuple(getattr(item, column) for column in self.key)

    def revision_of(self, item: Any) -> tuple[Any, ...]:
        return tuple(getattr(item, column) for column in self.revision)


QUARANTINE = Table("quarantine", Quarantined, ("quarantine_id",), ("quarantined_at",))

TABLES: dict[Topic, Table] = {
    Topic.SESSIONS: Table(
        "sessions",
        Session,
        ("session_id",),
        ("revision",),
        unstored=("partial",),
        types=(*["text"] * 3, *["timestamptz"] * 2, *["float8"] * 2, "int", *["text"] * 3, "bigint", "text"),
    ),
    Topic.OCCUPANCY: Table(
        "occupancy_minutes",
        OccupancyMinute,
        ("camera_id", "minute"),
        ("revision",),
        types=("text", "timestamptz", "float8", "int", "int", "int", "bigint"),
    ),
    Topic.INSIGHTS_MERGED: Table("insights", MergedInsight, ("insight_id",), ("revision",), unstored=("withdrawn",)),
    Topic.ALERTS: Table("alerts", Alert, ("alert_id",), ("revision",)),
    Topic.ALERT_RULES: Table("alert_rules", AlertRule, ("rule_id",), ("version", "updated_at")),
    Topic.QUARANTINE: QUARANTINE,
}
