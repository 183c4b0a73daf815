"""What must hold after every fault, looked at from outside: against the oracle, and I1 to I8 as far as they show."""

from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import Any, Self

import asyncpg
import msgspec
import pandas as pd
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from msgspec.structs import replace

from services.common.events.alerts import AlertRule
from services.common.events.sessions import Session
from services.common.kafka.envelopes import UNREADABLE
from services.common.kafka.groups import INSIGHTS, PROCESSOR, SINK
from services.common.topics import PARTITIONS, TOPICS, Topic
from tests import oracle
from tests.faults.walks import Report
from tests.oracle_alerts import Breach, breaches
from tests.support import stored
from tests.support.kafka import read_items

GAP_SECONDS = 60

IDENTITIES: dict[Topic, tuple[str, ...]] = {
    Topic.SESSIONS: ("session_id",),
    Topic.OCCUPANCY: ("camera_id", "minute"),
    Topic.INSIGHTS_MERGED: ("insight_id",),
    Topic.ALERTS: ("alert_id",),
}
TABLES = {
    Topic.SESSIONS: "sessions",
    Topic.OCCUPANCY: "occupancy_minutes",
    Topic.INSIGHTS_MERGED: "insights",
    Topic.ALERTS: "alerts",
}

GROUPS: dict[str, tuple[Topic, ...]] = {
    PROCESSOR: (Topic.APPEARANCES,),
    INSIGHTS: (Topic.SESSIONS, Topic.INSIGHTS, Topic.CAMERAS),
}
"""In the order in which records pass: a group without lag has told all that the ones before it told."""

SINK_TOPICS = tuple(spec.topic for spec in TOPICS if "sink" in spec.consumers)

READ = {**GROUPS, SINK: SINK_TOPICS}

PEAK_BYTES = 600 * 1024 * 1024

Rows = stored.Rows
Place = tuple[str, int]


class Expected:
    """The oracle's tables of what was accepted."""

    def __init__(self, accepted: Sequence[Report], insights: Sequence[Report], rules: Sequence[AlertRule]) -> None:
        appearances = oracle.appearances(oracle.reports(accepted))
        sessions = oracle.sessions(appearances)
        merged = oracle.merged_insights(oracle.insight_events(insights), sessions) if insights else pd.DataFrame()
        self.keys = {(seen.camera_id, seen.appearance_key) for seen in list[Any](appearances.itertuples())}
        self.tables: dict[str, Rows] = {
            "sessions": stored.expected(sessions, stored.SESSION),
            "minutes": stored.expected(oracle.occupancy_minutes(sessions), stored.MINUTE),
            "insights": stored.expected(merged, stored.INSIGHT),
        }
        self.alerts = {
            breach for rule in rules for breach in breaches(rule, sessions, pd.Timedelta(seconds=GAP_SECONDS))
        }

    @property
    def cameras(self) -> set[str]:
        return {camera for camera, _ in self.keys}


class Stored:
    """The same tables as PostgreSQL holds them."""

    def __init__(self, appearances: set[tuple[str, str]], tables: dict[str, Rows], alerts: dict[Breach, str]) -> None:
        self.appearances = appearances
        self.tables = tables
        self.alerts = alerts
        """And their status."""

    @classmethod
    async def read(cls, pool: asyncpg.Pool, cameras: Collection[str]) -> "Stored":
        rows = await pool.fetch(
            "SELECT camera_id, appearance_key FROM appearances WHERE camera_id = ANY($1)", list(cameras)
        )
        return cls(
            {(row["camera_id"], row["appearance_key"]) for row in rows},
            {
                "sessions": await stored.sessions(pool, cameras),
                "minutes": await stored.minutes(pool, cameras),
                "insights": await stored.insights(pool, cameras),
            },
            {
                Breach(*breach): status
                for *breach, status in await pool.fetch(
                    f"SELECT {', '.join(Breach._fields)}, status FROM alerts WHERE camera_id = ANY($1)", list(cameras)
                )
            },
        )


class Comparison:
    """`lost` is wanted and not there, `extra` is there and not wanted, `wrong` is there with other values.

    An alert of what held for a moment is no more than history, once it is resolved.
    """

    def __init__(self, wanted: Expected, found: Stored) -> None:
        self.lost: list[Any] = [*sorted(wanted.keys - found.appearances), *(wanted.alerts - found.alerts.keys())]
        self.extra: list[Any] = [
            *sorted(found.appearances - wanted.keys),
            *(alert for alert, status in found.alerts.items() if status == "open" and alert not in wanted.alerts),
        ]
        self.wrong: list[Any] = []
        for name, rows in wanted.tables.items():
            there = found.tables[name]
            self.lost += [(name, *rows[key]) for key in rows.keys() - there.keys()]
            self.extra += [(name, *there[key]) for key in there.keys() - rows.keys()]
            self.wrong += [
                (name, *rows[key], "found", *there[key])
                for key in rows.keys() & there.keys()
                if rows[key] != there[key]
            ]

    def __str__(self) -> str:
        """The counts, and of each kind a few."""
        shown = [f"{name}: {len(found)}" for name, found in vars(self).items()]
        for name, found in vars(self).items():
            shown += [f"  {name} {each}" for each in found[:6]]
        return "\n".join(shown)


class Places:
    """Where the logs end and how far their readers are, asked of Kafka and of PostgreSQL."""

    def __init__(self, kafka: str, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
        self._consumer = AIOKafkaConsumer(bootstrap_servers=kafka)

    async def __aenter__(self) -> Self:
        await self._admin.start()
        await self._consumer.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._consumer.stop()
        await self._admin.close()

    async def ends(self, topics: Collection[Topic]) -> dict[Place, int]:
        partitions = [TopicPartition(topic, number) for topic in topics for number in range(PARTITIONS)]
        found = await self._consumer.end_offsets(partitions)
        return {(place.topic, place.partition): end for place, end in found.items()}

    async def committed(self, group: str) -> dict[Place, int]:
        """Of the group's own topics; nothing where it has not committed."""
        found = await self._admin.list_consumer_group_offsets(group)
        return {
            (place.topic, place.partition): at.offset
            for place, at in found.items()
            if place.topic in READ[group] and at.offset >= 0
        }

    async def written(self) -> dict[Place, int]:
        rows = await self._pool.fetch("SELECT topic, partition, next_offset FROM sink_offsets")
        return {(row["topic"], row["partition"]): row["next_offset"] for row in rows}

    async def lag(self) -> dict[Place, tuple[str, int]]:
        """The partitions that a reader is behind on: whose, and by how many records. Empty when all is taken."""
        behind = await self._untold()
        for group, topics in GROUPS.items():
            behind |= await self._behind(group, await self.committed(group), topics)
        behind |= await self._behind(SINK, await self.written(), SINK_TOPICS)
        return behind | await self._untold()

    async def _behind(
        self, reader: str, places: dict[Place, int], topics: Collection[Topic]
    ) -> dict[Place, tuple[str, int]]:
        partitions = [TopicPartition(topic, number) for topic in topics for number in range(PARTITIONS)]
        first = await self._consumer.beginning_offsets(partitions)
        lag = {
            place: end - max(places.get(place, 0), first[TopicPartition(*place)])
            for place, end in (await self.ends(topics)).items()
        }
        return {place: (reader, count) for place, count in lag.items() if count > 0}

    async def _untold(self) -> dict[Place, tuple[str, int]]:
        """Sessions that the sink has repaired and sessions.v1 does not have yet."""
        count = await self._pool.fetchval("SELECT count(*) FROM session_outbox")
        return {("session_outbox", 0): (SINK, count)} if count else {}


async def broken_invariants(
    kafka: str, pool: asyncpg.Pool, places: Places, wanted: Expected, peak_bytes: dict[str, int]
) -> list[str]:
    """One line for each invariant that does not hold."""
    return [
        *await _refused(pool, wanted),
        *await _contradictions(kafka, pool),
        *await _offsets_out_of_order(places),
        *await _sessions_that_touch(pool, wanted),
        *await _alerts_of_nothing(pool),
        *[f"I7: {name} took {peak >> 20} MiB" for name, peak in peak_bytes.items() if peak > PEAK_BYTES],
    ]


async def _refused(pool: asyncpg.Pool, wanted: Expected) -> list[str]:
    """I1. What was accepted is stored, and no part of it is in the quarantine as well. All rows of files are good."""
    rows = await pool.fetch(
        "SELECT source, reason_code, raw FROM quarantine WHERE camera_id = ANY($1)", list(wanted.cameras)
    )
    return [
        f"I1: {row['source']} was accepted and is in the quarantine: {row['reason_code']}"
        for row in rows
        if row["source"].startswith("upload:") or _identity(row["raw"]) in wanted.keys
    ]


def _identity(raw: bytes) -> tuple[str, str] | None:
    """Of a report."""
    with suppress(*UNREADABLE, KeyError, TypeError):
        report = msgspec.json.decode(raw)
        return report["camera_id"], report["appearance_key"]
    return None


async def _contradictions(kafka: str, pool: asyncpg.Pool) -> list[str]:
    """I2. A revision of an id says the same whenever it is told, and the greatest, or its repair, is what is stored.

    Along the topic revisions may go back: what a crash repeats may be cut into other steps. A processor with little
    memory may then be sure of what it told as partial before, and know another beginning of what absorbed a session.
    """
    broken = []
    for topic, fields in IDENTITIES.items():
        told: dict[Any, dict[int, Any]] = {}
        for item in await read_items(kafka, topic):
            if isinstance(item, Session):
                if item.partial:
                    continue
                item = replace(item, absorbed_into=None)
            key = tuple(getattr(item, field) for field in fields)
            revision = item.revision  # type: ignore[attr-defined]
            first = told.setdefault(key, {}).setdefault(revision, item)
            if item != first:
                broken.append(f"I2: {topic} {key} was told as {first} and as {item}")
        rows = await pool.fetch(f"SELECT {', '.join(fields)}, revision FROM {TABLES[topic]}")
        kept = {tuple(row[field] for field in fields): row["revision"] for row in rows}
        broken += [
            f"I2: {topic} {key} is stored as {kept.get(key)} and was told as {max(found)}"
            for key, found in told.items()
            if kept.get(key, -1) not in (max(found), max(found) | 1)
        ]
    return broken


async def _offsets_out_of_order(places: Places) -> list[str]:
    """I3. What a group has told Kafka is done at most as far as it is, and that at most as far as the log goes."""
    committed = {group: await places.committed(group) for group in GROUPS}
    # In this order, since the sink goes on.
    told, written = await places.committed(SINK), await places.written()
    ends = await places.ends([spec.topic for spec in TOPICS])
    beyond = [
        f"I3: {reader} is at {offset} of {place}, which ends at {ends[place]}"
        for reader, offsets in {**committed, SINK: written}.items()
        for place, offset in offsets.items()
        if offset > ends[place]
    ]
    return beyond + [
        f"I3: the sink is at {written.get(place)} of {place} and has told Kafka {offset}"
        for place, offset in told.items()
        if offset > written.get(place, 0)
    ]


async def _sessions_that_touch(pool: asyncpg.Pool, wanted: Expected) -> list[str]:
    """I4."""
    touching = await pool.fetch(
        """
        SELECT session_id FROM (
            SELECT session_id, started_at, max(ended_at) OVER (
                PARTITION BY camera_id, subject_id ORDER BY started_at, session_id
                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            ) AS latest_end
            FROM sessions WHERE status = 'active'
        ) AS each WHERE started_at - latest_end <= make_interval(secs => $1)
        """,
        float(GAP_SECONDS),
    )
    counted = await pool.fetchval(
        "SELECT coalesce(sum(appearance_count), 0) FROM sessions WHERE status = 'active' AND camera_id = ANY($1)",
        list(wanted.cameras),
    )
    broken = [f"I4: session {row['session_id']} touches the one before it" for row in touching]
    if counted != len(wanted.keys):
        broken.append(f"I4: sessions count {counted} appearances, accepted were {len(wanted.keys)}")
    return broken


async def _alerts_of_nothing(pool: asyncpg.Pool) -> list[str]:
    """I6."""
    rows = await pool.fetch(
        "SELECT alert_id FROM alerts LEFT JOIN sessions USING (session_id)"
        " WHERE alerts.session_id IS NOT NULL AND sessions.session_id IS NULL"
    )
    return [f"I6: alert {row['alert_id']} is of no stored session" for row in rows]
