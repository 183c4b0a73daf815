"""Where an appearance is to be found: the minute of its start and a hash of its subject, in one number."""

from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from zlib import crc32

_SUBJECT = (1 << 32) - 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTES_A_DAY = 24 * 60

MINUTE = timedelta(minutes=1)


def key_hash(appearance_key: str) -> int:
    """64 bits."""
    return int.from_bytes(blake2b(appearance_key.encode(), digest_size=8).digest(), "big")


def subject_hash(subject_id: str) -> int:
    """32 bits."""
    return crc32(subject_id.encode())


def place_of(started_at: datetime, subject_id: str) -> int:
    since = started_at - _EPOCH
    minute = since.days * _MINUTES_A_DAY + since.seconds // 60
    return minute << 32 | subject_hash(subject_id)


def subject_at(place: int) -> int:
    return place & _SUBJECT


def minute_at(place: int) -> datetime:
    return _EPOCH + (place >> 32) * MINUTE
