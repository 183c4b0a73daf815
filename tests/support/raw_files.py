"""The vendor's files read for the oracle: plain, row by row, and apart from the product's own reader.

Knows the full column names and the row reasons of well-formed files; spellings met at single sites are not its matter.
"""

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from services.common.events.common import OTHER, isoformat, stable_id

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
UNDECIDED = {
    "", "null", "none", "nan", "n/a", "undefined", "unknown", "not_determined", "inconclusive",
}  # fmt: skip
MONTH_FIRST = ("%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M")
LONGEST_DWELL = timedelta(hours=24)


class AppearanceFile:
    """What a CSV of appearances holds: `accepted` reports as the oracle takes them, and why the others are not."""

    def __init__(self, content: bytes, zone: str = "UTC") -> None:
        self.accepted: list[dict[str, Any]] = []
        self.rejects: Counter[str] = Counter()
        for row in csv.DictReader(io.StringIO(content.decode("utf-8-sig"))):
            report = _report({name.strip().lower(): value for name, value in row.items()}, zone)
            if isinstance(report, str):
                self.rejects[report] += 1
            else:
                self.accepted.append(report)

    @property
    def rows(self) -> int:
        return len(self.accepted) + self.rejects.total()

    @property
    def stores(self) -> dict[str, str]:
        """Camera → camera group, of the cameras that have one."""
        return {report["camera_id"]: report["camera_group"] for report in self.accepted if report["camera_group"]}


def insights_of(content: bytes) -> list[dict[str, Any]]:
    """The elements of an insight report (an array, or `data` of an object) as the oracle takes them."""
    document = json.loads(content)
    elements = document["data"] if isinstance(document, dict) else document
    return [
        {
            "insight_id": element["event_id"],
            "kind": element.get("kind") or ("loitering" if element.get("loitering_duration") else "crowd"),
            "camera_id": element["camera_id"],
            "subject_id": element.get("person_id") or None,
            "started_at": _instant(str(element["utc_time_recorded"]), "UTC"),
            "reported_at": _instant(str(element.get("save_insight_time") or element["utc_time_recorded"]), "UTC"),
            "duration_seconds": float(element.get("loitering_duration") or element.get("duration_seconds") or 0.0),
        }
        for element in elements
    ]


def _report(row: Mapping[str, str], zone: str) -> dict[str, Any] | str:
    """The report that a row makes, or the reason why it makes none."""
    person, camera = row["person_id"].strip(), row["camera_id"].strip()
    start, end = _time(row, "utc_time_started"), _time(row, "utc_time_ended")
    for value, reason in (
        (person, "missing_person"), (camera, "missing_camera"), (start, "missing_start"), (end, "missing_end"),
    ):  # fmt: skip
        if not value:
            return reason
    try:
        started_at, ended_at = _instant(start, zone), _instant(end, zone)
        told = _time(row, "msg_send_timestamp") or _time(row, "utc_time_recorded")
        reported_at = _instant(told, zone) if told else ended_at
    except ValueError:
        return "bad_timestamp"
    if ended_at < started_at:
        return "negative_dwell"
    if ended_at - started_at > LONGEST_DWELL:
        return "implausible_dwell"
    return {
        "appearance_key": row.get("appearance_id") or stable_id(person, camera, isoformat(started_at)),
        "camera_id": camera,
        "person_id": person,
        "started_at": started_at,
        "ended_at": ended_at,
        "reported_at": reported_at,
        "age_group": _decided(row.get("age_group_outcome") or row.get("age_group") or ""),
        "gender": _decided(row.get("gender_outcome") or row.get("gender") or "").lower(),
        "camera_group": row.get("camera_group_data_group_name") or None,
    }


def _time(row: Mapping[str, str], name: str) -> str:
    return (row.get(f"{name}_readable") or row.get(name) or "").strip()


def _instant(text: str, zone: str) -> datetime:
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return EPOCH + timedelta(microseconds=round(Decimal(text) * 1_000_000))
    for pattern in MONTH_FIRST:
        try:
            return datetime.strptime(text, pattern).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
        except ValueError:
            continue
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)


def _decided(text: str) -> str:
    return OTHER if text.strip().lower() in UNDECIDED else text.strip()
