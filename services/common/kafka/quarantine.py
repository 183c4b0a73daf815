"""Refused data: one entry a refusal, with an identity that a retry repeats."""

from datetime import datetime

from services.common import clock
from services.common.events.common import stable_id
from services.common.events.quarantine import Quarantined
from services.common.kafka.envelopes import BadItem
from services.common.metrics import QUARANTINED
from services.common.topics import SPECS, Topic

MAX_RAW_BYTES = 64 * 1024


def refuse(
    source: str,
    reason_code: str,
    reason: str,
    raw: bytes,
    camera_id: str | None = None,
    at: datetime | None = None,
) -> Quarantined:
    """`at` is the present without it; a file's rows are refused at the time of the upload, however often it is read."""
    QUARANTINED.labels(reason_code).inc()
    return Quarantined(
        quarantine_id=stable_id(source, reason_code),
        source=source,
        reason_code=reason_code,
        reason=reason,
        quarantined_at=at or clock.now(),
        raw=raw[:MAX_RAW_BYTES],
        camera_id=camera_id,
    )


def refuse_record(topic: Topic, partition: int, offset: int, bad: BadItem, camera_id: str | None) -> Quarantined:
    """What of a Kafka record cannot be read; the record's place in the log is its identity."""
    source = f"kafka:{topic}/{partition}/{offset}"
    return refuse(
        f"{source}#{bad.position}" if bad.position else source, bad.reason_code, bad.reason, bad.raw, camera_id
    )


def camera_of(topic: Topic, key: bytes | None) -> str | None:
    """The camera that a record's key names, if it names one that the database can hold."""
    if key is None or b"\0" in key or SPECS[topic].key != "camera_id":
        return None
    try:
        return key.decode()
    except UnicodeDecodeError:
        return None
