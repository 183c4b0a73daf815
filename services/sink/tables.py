"""The tables that hold records as they come: which, and the statement that lets only a newer record replace one."""

from typing import Any

from msgspec import Struct

from services.common.events.alerts import Alert, AlertRule
from services.common.events.insights import MergedInsight
from services.common.events.quarantine import Quarantined
from services.common.events.sessions import OccupancyMinute, Session
from services.common.topics import Topic


class Table(Struct, frozen=True):
    """A table whose columns are named as the fields of `item`.

    `revision` names what must be greater for a record to replace the stored one; without it the first one stays.
    `unstored` are fields without a column.
    """

    name: str
    item: type[Any]
    key: tuple[str, ...]
    revision: tuple[str, ...] = ()
    unstored: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(name for name in self.item.__struct_fields__ if name not in self.unstored)

    @property
    def upsert(self) -> str:
        columns = self.columns
        values = ", ".join(f"${number}" for number in range(1, len(columns) + 1))
        return (
            f"INSERT INTO {self.name} AS stored ({', '.join(columns)}) VALUES ({values})"  # noqa: S608 - our own names
            f" ON CONFLICT ({', '.join(self.key)}) DO {self._on_conflict(columns)}"
        )

    def _on_conflict(self, columns: tuple[str, ...]) -> str:
        if not self.revision:
            return "NOTHING"
        changes = ", ".join(f"{column} = excluded.{column}" for column in columns if column not in self.key)
        new = ", ".join(f"excluded.{column}" for column in self.revision)
        old = ", ".join(f"stored.{column}" for column in self.revision)
        return f"UPDATE SET {changes} WHERE ({new}) > ({old})"

    def key_of(self, item: Any) -> tuple[Any, ...]:
        return tuple(getattr(item, column) for column in self.key)

    def revision_of(self, item: Any) -> tuple[Any, ...]:
        return tuple(getattr(item, column) for column in self.revision)

    def values(self, item: Any) -> tuple[Any, ...]:
        return tuple(getattr(item, column) for column in self.columns)


QUARANTINE = Table("quarantine", Quarantined, ("quarantine_id",))

TABLES: dict[Topic, Table] = {
    Topic.SESSIONS: Table("sessions", Session, ("session_id",), ("revision",), unstored=("partial",)),
    Topic.OCCUPANCY: Table("occupancy_minutes", OccupancyMinute, ("camera_id", "minute"), ("revision",)),
    Topic.INSIGHTS_MERGED: Table("insights", MergedInsight, ("insight_id",), ("revision",)),
    Topic.ALERTS: Table("alerts", Alert, ("alert_id",), ("revision",)),
    Topic.ALERT_RULES: Table("alert_rules", AlertRule, ("rule_id",), ("version", "updated_at")),
    Topic.QUARANTINE: QUARANTINE,
}
