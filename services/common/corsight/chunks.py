"""What reading a file gives: chunks of accepted items and of refusals, within limits."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Generic, TypeVar

T = TypeVar("T")

MAX_DWELL_SECONDS = 86_400.0
MAX_AHEAD_SECONDS = 300.0

MAX_ID_CHARS = 256
"""Of a person, camera, appearance or insight id; PostgreSQL cannot index a text of more than 2,704 bytes."""

MAX_RAW_BYTES = 65_536
"""Of a refused row that are kept."""

CHUNK_BYTES = 16 << 20
"""A chunk ends early when its rows are this large together."""

# Names under which the vendor sends pictures and biometric templates; they stay outside.
_IMAGE_NAMES = frozenset({"img", "image", "signature"})
_IMAGE_ENDINGS = ("_img", "_image", "_signature")

MAX_EXTRA_CHARS = 4_096
"""A text longer than this is no field but a picture or the like, under whatever name it comes."""

MIN_PICTURE_CHARS = 64
"""No picture is shorter."""

# A data URL; the beginnings of JPEG, PNG, GIF, WebP in base64, whose `+` may have become blanks; any long base64.
_PICTURE = re.compile(
    r"data:[\w/+.-]*;base64,|(?:/9j/|iVBORw0KGgo|R0lGOD|UklGR)[A-Za-z0-9+/=\s]*\Z|[A-Za-z0-9+/]{256,}={0,2}\Z"
)


@dataclass(frozen=True, slots=True)
class ReadLimits:
    """What is read of one file at most, and which rows are plausible."""

    max_bytes: int = 1 << 30
    """After decompression."""
    max_row_bytes: int = 512 << 10
    """Pictures included. What is left of a row must fit into one Kafka record even where JSON escapes all of it."""
    max_dwell_seconds: float = MAX_DWELL_SECONDS
    max_ahead_seconds: float = MAX_AHEAD_SECONDS


DEFAULT_LIMITS = ReadLimits()


@dataclass(frozen=True, slots=True)
class RowRules:
    """What decides over a single row: the upload's zone, the present time, and what is plausible."""

    now: datetime
    zone: tzinfo = UTC
    max_dwell: timedelta = timedelta(seconds=MAX_DWELL_SECONDS)
    max_ahead: timedelta = timedelta(seconds=MAX_AHEAD_SECONDS)

    @classmethod
    def of(cls, limits: ReadLimits, now: datetime, zone: tzinfo) -> "RowRules":
        return cls(now, zone, timedelta(seconds=limits.max_dwell_seconds), timedelta(seconds=limits.max_ahead_seconds))

    @property
    def horizon(self) -> datetime:
        """Nothing can have happened after this."""
        return self.now + self.max_ahead


class RowError(ValueError):
    """Why one row or element is not taken; `reason_code` is one of `events.quarantine.REASONS`."""

    def __init__(self, reason_code: str, reason: str, camera_id: str | None = None) -> None:
        super().__init__(reason)
        self.reason_code = reason_code
        self.reason = reason
        self.camera_id = camera_id


@dataclass(frozen=True, slots=True)
class Reject:
    """One refused row: `row` is its 1-based line in the file (of a JSON document: the element's place)."""

    row: int
    source: str
    reason_code: str
    reason: str
    raw: bytes
    camera_id: str | None = None

    @classmethod
    def of(cls, refused: RowError, row: int, source: str, raw: bytes) -> "Reject":
        return cls(row, source, refused.reason_code, refused.reason, raw[:MAX_RAW_BYTES], refused.camera_id)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a file can be entered in the middle: behind its line `row`, at the byte `offset`."""

    row: int
    offset: int


@dataclass(slots=True)
class Chunk(Generic[T]):
    """A stretch of a file. Each of its `rows_total` rows is in `items` or in `rejects`, never in both.

    `bytes_consumed` counts the file's own (compressed) bytes from its start; `warnings` speak of the file as a whole
    and come with the first chunk; at `place`, if there is one, reading can go on another time.
    """

    items: list[T] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    bytes_consumed: int = 0
    warnings: list[str] = field(default_factory=list)
    place: Place | None = None

    @property
    def rows_total(self) -> int:
        return len(self.items) + len(self.rejects)


def put_back(first: T, rest: Iterator[T]) -> Iterator[T]:
    """The first and then the rest; `itertools.chain` would hold the first to the end."""
    held = [first]
    del first
    yield held.pop()
    yield from rest


def is_kept(name: str, value: object) -> bool:
    """Whether an unmodelled field is carried along: it says something and is no picture."""
    if value is None or value == "" or is_image_name(name):
        return False
    return not (isinstance(value, str) and _is_picture(value))


def is_image_name(name: str) -> bool:
    return name in _IMAGE_NAMES or name.endswith(_IMAGE_ENDINGS)


def without_images(value: Any, leave_out: frozenset[str] = frozenset()) -> Any:
    """The JSON value without pictures, templates and over-long texts, at any depth, and an object's `leave_out`."""
    if isinstance(value, list):
        return [without_images(inner) for inner in value if not (isinstance(inner, str) and _is_picture(inner))]
    if not isinstance(value, dict):
        return value
    kept: dict[str, Any] = {}
    # A quarter of the work on a live event: `is_kept` of every field, without asking numbers what only texts can be.
    for name, inner in value.items():
        kind = type(inner)
        if kind is str:
            if not inner or name in leave_out or is_image_name(name) or _is_picture(inner):
                continue
        elif kind is dict or kind is list:
            if name in leave_out or is_image_name(name):
                continue
            inner = without_images(inner)
        elif inner is None or name in leave_out:
            continue
        kept[name] = inner
    return kept


def _is_picture(text: str) -> bool:
    return len(text) > MAX_EXTRA_CHARS or (len(text) >= MIN_PICTURE_CHARS and _PICTURE.match(text) is not None)
