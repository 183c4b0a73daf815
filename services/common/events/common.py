"""What all events share: the envelope, identities, canonical JSON."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Generic, TypeVar

import msgspec
from msgspec import Meta, Struct

OTHER = "other"
"""The value of a demographic that is null, undefined or undecided."""

MAX_ENVELOPE_ITEMS = 500

Instant = Annotated[datetime, Meta(tz=True, description="UTC instant with microseconds, ISO 8601")]
Seconds = Annotated[float, Meta(ge=0)]
Revision = Annotated[
    int, Meta(ge=0, description="grows with every change of this record; of two records, the greater revision is right")
]

T = TypeVar("T")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

EARLIEST = _EPOCH + timedelta(seconds=10**8)
LATEST = _EPOCH + timedelta(seconds=10**11 - 1)
"""1973 to 5138, as far as files are read: around an instant near the ends of the calendar nothing can be computed."""


class Envelope(Struct, Generic[T], kw_only=True, frozen=True):
    """The value of every Kafka record: live traffic carries one item, bulk carries many of one camera."""

    camera_id: str | None
    source: str
    items: Annotated[list[T], Meta(min_length=1, max_length=MAX_ENVELOPE_ITEMS)]


def stable_id(*parts: str) -> str:
    """A 32-digit hexadecimal identity of the parts; the same parts give the same identity everywhere."""
    return hashlib.blake2b("\x1f".join(parts).encode(), digest_size=16).hexdigest()


def origin_of(source: str) -> str:
    """Who reported: the source without the row of the file. What one origin reported can be withdrawn together."""
    return source.partition("#")[0]


def canonical_json(value: Any) -> str:
    """JSON with sorted keys and no spaces: equal values give equal text."""
    return msgspec.json.encode(value, order="sorted").decode()


def isoformat(instant: datetime) -> str:
    """ISO 8601 with microseconds always present, so that texts sort as the instants do."""
    return instant.isoformat(timespec="microseconds")
