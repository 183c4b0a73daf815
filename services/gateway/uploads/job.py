"""An upload as those who work on it see it."""

from dataclasses import dataclass
from typing import TypeAlias

import asyncpg
import msgspec
from msgspec import Struct

from services.common.corsight.chunks import Place
from services.common.topics import Topic
from services.gateway.models import Upload

Published: TypeAlias = dict[Topic, dict[int, int]]
"""Topic → partition → the offset behind the last record."""


class StoppedError(Exception):
    """The upload was cancelled, or begun anew by somebody else: nothing more of it may be published."""


class Counts(Struct):
    """Rows so far; ``total = accepted + rejected`` always."""

    accepted: int = 0
    rejected: int = 0
    by_reason: dict[str, int] = {}
    bytes_done: int = 0
    recorded: int = 0
    """Of those accepted, the ones of recorded video."""

    @property
    def total(self) -> int:
        return self.accepted + self.rejected

    @property
    def reject_share(self) -> float:
        return _share(self.rejected, self.total)


class Checkpoint(Struct):
    """Behind the last chunk that Kafka has acknowledged: its last row, and the place where the file can be entered."""

    counts: Counts
    row: int = 0
    place: Place | None = None
    warnings: list[str] = []


@dataclass(frozen=True, slots=True)
class Job:
    """`attempt` grows with every new beginning; `in_kafka`: something of it may be there, acknowledged or not."""

    upload: Upload
    attempt: int
    is_small: bool
    is_decided: bool
    in_kafka: bool
    checkpoint: Checkpoint | None
    published: Published

    @property
    def source(self) -> str:
        return f"upload:{self.upload.upload_id}"

    @property
    def topic(self) -> Topic:
        return Topic.INSIGHTS if self.upload.kind == "insights" else Topic.APPEARANCES


def job_of(row: asyncpg.Record) -> Job:
    return Job(
        upload=upload_of(row),
        attempt=row["attempt"],
        is_small=row["is_small"],
        is_decided=row["is_decided"],
        in_kafka=row["in_kafka"],
        checkpoint=row["checkpoint"] and msgspec.convert(row["checkpoint"], Checkpoint),
        published=msgspec.convert(row["published"], Published, str_keys=True),
    )


def upload_of(row: asyncpg.Record) -> Upload:
    reject_share = _share(row["rows_rejected"], row["rows_total"])
    computed = {"upload_id": str(row["upload_id"]), "reject_share": reject_share, "rows_waiting": _waiting(row)}
    return Upload(**{**row, **computed})


def _waiting(row: asyncpg.Record) -> int:
    """Accepted rows behind the last chunk that was published."""
    if row["status"] != "needs_decision":
        return 0
    reached = row["checkpoint"]
    imported: int = reached["counts"]["accepted"] if reached else 0
    return int(row["rows_accepted"]) - imported


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
