"""What kind of file somebody uploaded: by its content, never by its name."""

import json
import re
import zlib
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

HEAD_BYTES = 262_144
"""Of a file that `detect_kind` wants to see."""

Encoding = Literal["utf-8", "utf-16", "utf-16-le", "utf-16-be", "cp1252"]
"""As Python names them; ``utf-16`` says its byte order itself, and ``cp1252`` is what is called Latin-1."""

UTF8_BOM = b"\xef\xbb\xbf"

_GZIP = b"\x1f\x8b"
_UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")

_SIGNATURES = (
    (b"\xff\xfe\0\0", "UTF-32 text (save it as UTF-8)"),
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive or an Excel workbook (save it as CSV)"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook (save it as CSV)"),
    (b"PAR1", "a Parquet file"),
    (b"<", "HTML or XML"),
)

# Names of fields that only one of the two kinds of JSON has, and of those that both may have.
# fmt: off
_INSIGHT_FIELDS = frozenset({
    "insight_id", "insights", "insight_type", "insight_name", "kind", "loitering_duration", "save_insight_time",
    "generative_insight", "people_count", "crowd_count", "count", "duration_seconds",
})
_APPEARANCE_FIELDS = frozenset({
    "appearances", "appearance_id", "appearance_data", "frame_data", "crop_data",
})
_ENDS = frozenset({"utc_time_ended", "utc_time_ended_readable", "ended_at"})
_SOMEBODY = frozenset({"person_id", "poi_id"})
# fmt: on
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f]")
_INSIGHT_TYPE = re.compile(r'"event_type"\s*:\s*"[^"]*(?:crowd|loiter|insight)', re.IGNORECASE)
_APPEARANCE_TYPE = re.compile(r'"event_type"\s*:\s*"appearance"')
# A letter of Western Europe beside a plain one, as in "Küche"; and bytes that stand for nothing, or hardly ever occur.
_LATIN1 = rb"[\xc0-\xd6\xd8-\xf6\xf8-\xfd\x8a\x8c\x8e\x9a\x9c\x9e\x9f]"
_LATIN1_LETTER = re.compile(rb"(?<=[A-Za-z])%b|%b(?=[A-Za-z])" % (_LATIN1, _LATIN1))
_NO_LATIN1 = re.compile(rb"[\x81\x8d\x8f\x90\x9d\xfe\xff]")
_LETTERS_PER_DAMAGE = 3

_JSON_NAME = re.compile(r'"([a-z_]+)"\s*:')


class FileError(Exception):
    """The file as a whole is not taken; `status` is the HTTP status that says so, the text says what was found."""

    status: int = 422


class UnsupportedFileError(FileError):
    """Neither CSV nor JSON."""

    status = 415


class UnusableFileError(FileError):
    """Empty, or without the columns that are needed."""

    status = 422


class FileTooLargeError(FileError):
    status = 413


@dataclass(frozen=True, slots=True)
class FileKind:
    kind: Literal["appearances", "insights"]
    format: Literal["csv", "json", "ndjson"]
    gzipped: bool = False
    encoding: Encoding = "utf-8"


def detect_kind(head: bytes, file_name: str = "") -> FileKind:
    """Decide by the first `HEAD_BYTES`; the name only makes the refusal readable. Raises `FileError`."""
    # A browser may send a path: whoever reads the refusal knows the file by its last part.
    name = f"“{PurePosixPath(file_name.replace(chr(92), '/')).name}”" if file_name else "the file"
    gzipped = head.startswith(_GZIP)
    plain = _unzipped_head(head, name) if gzipped else head
    _refuse_binary(plain, name)
    encoding = _encoding_of(plain)
    text = plain.decode(encoding, "replace").removeprefix("\ufeff")
    if not text.strip():
        raise UnusableFileError(f"{name} is empty")
    start = text.lstrip()
    if start[0] not in "{[":
        return FileKind("appearances", "csv", gzipped, encoding)

    names = set(_JSON_NAME.findall(text))
    is_insight = not names.isdisjoint(_INSIGHT_FIELDS) or _INSIGHT_TYPE.search(text) is not None
    is_appearance = not is_insight and (
        not names.isdisjoint(_APPEARANCE_FIELDS)
        or _APPEARANCE_TYPE.search(text) is not None
        or not (names.isdisjoint(_ENDS) or names.isdisjoint(_SOMEBODY))
    )
    kind: Literal["appearances", "insights"] = "appearances" if is_appearance else "insights"
    return FileKind(kind, _json_format(start), gzipped, encoding)


def _unzipped_head(head: bytes, name: str) -> bytes:
    try:
        return zlib.decompressobj(wbits=31).decompress(head, HEAD_BYTES)
    except zlib.error as error:
        raise UnsupportedFileError(f"{name} begins like gzip but cannot be unpacked: {error}") from None


def _refuse_binary(head: bytes, name: str) -> None:
    for signature, what in _SIGNATURES:
        if head.startswith(signature):
            raise UnsupportedFileError(f"{name} is {what}, not CSV or JSON")
    if _is_utf16(head):
        return
    # Later lines are rows: a damaged one is refused alone.
    if _CONTROL.search(head.lstrip().partition(b"\n")[0]):
        raise UnsupportedFileError(f"{name} is binary, not CSV or JSON")


def _is_utf16(head: bytes) -> bool:
    return head.startswith(_UTF16_BOMS) or _bare_utf16(head) is not None


def _bare_utf16(head: bytes) -> Literal["utf-16-le", "utf-16-be"] | None:
    """Without a byte order mark it shows in the header, whose names are ASCII: every other byte is NUL."""
    start = head[:32] if len(head) >= 32 else head[: len(head) // 2 * 2]
    even, odd = start[::2], start[1::2]
    if not start or (any(even) and any(odd)):
        return None
    if all(even) and not any(odd):
        return "utf-16-le"
    return "utf-16-be" if all(odd) and not any(even) else None


def _encoding_of(head: bytes) -> Encoding:
    """Latin-1 only where nothing is UTF-8 and what is not reads as letters within words; damage stays damaged UTF-8."""
    if head.startswith(_UTF16_BOMS):
        return "utf-16"
    if bare := _bare_utf16(head):
        return bare
    whole = head[: head.rfind(b"\n") + 1] or head
    text = whole.removeprefix(UTF8_BOM).decode("utf-8", "surrogateescape")
    beyond_ascii = [char for char in text if char > "\x7f"]
    if not beyond_ascii or not all("\udc80" <= char <= "\udcff" for char in beyond_ascii):
        return "utf-8"
    letters, damage = len(_LATIN1_LETTER.findall(whole)), len(_NO_LATIN1.findall(whole))
    return "cp1252" if letters > _LETTERS_PER_DAMAGE * damage else "utf-8"


def _json_format(text: str) -> Literal["json", "ndjson"]:
    """Newline-delimited where the first line, or the second after a broken one, is a whole object and not the last."""
    lines = [line for line in text.splitlines() if line.strip()][:2]
    if text[0] == "[" or len(lines) < 2:
        return "json"
    first, second = (line.strip() for line in lines)
    if _is_object(first) or (first[-1] not in "[{,:" and _is_object(second)):
        return "ndjson"
    return "json"


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False
