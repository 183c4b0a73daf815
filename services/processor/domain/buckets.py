"""The sessionizer's state of one camera, cut into buckets so that a live record writes little and bulk writes few.

A bucket is one value of the state table. With 64 of them a camera of 200 subjects (some 250 bytes an appearance) writes
about 1 KB per bucket and two buckets per live record, and an envelope of 500 rows at most 64 values where a value a
subject would be hundreds. Values of other subjects stay undecoded, so that cost follows what is touched.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from zlib import crc32

import msgspec

from services.common.events.appearances import MergedAppearance
from services.common.sessions import Grouped

BUCKETS = 64
"""Part of the state's layout: another number needs a fresh state."""

TRACK = "track:"


class Bucket(msgspec.Struct, array_like=True):
    """Subjects whose name falls here, and who the appearances are of whose key falls here (anonymous ones apart)."""

    sessions: dict[str, msgspec.Raw] = {}
    subjects: dict[str, str] = {}


@dataclass(frozen=True, slots=True)
class _Move:
    key: str
    old_subject: str
    subject: str
    known: MergedAppearance


_ENCODER = msgspec.msgpack.Encoder()
_BUCKETS = msgspec.msgpack.Decoder(Bucket)
_GROUPED = msgspec.msgpack.Decoder(Grouped)


def bucket_of(name: str) -> int:
    return crc32(name.encode()) % BUCKETS


def home_of(subject_id: str) -> int:
    """The bucket of a subject. An anonymous track lives where its appearance's key is looked up: one write, not two."""
    return bucket_of(subject_id.removeprefix(TRACK))


class CameraState:
    """One camera's appearances, read bucket by bucket through `read` and changed in memory until `writes` is taken."""

    def __init__(self, read: Callable[[int], bytes | None]) -> None:
        self._read = read
        self._buckets: dict[int, Bucket] = {}
        self._changed: set[int] = set()
        self._moves: list[_Move] = []

    def subject_of(self, key: str) -> str:
        """Whom the appearance is known to be of; the anonymous track when nothing is known."""
        return self._bucket(bucket_of(key)).subjects.get(key, TRACK + key)

    def set_subject(self, key: str, subject_id: str) -> None:
        subjects = self._bucket(bucket_of(key)).subjects
        if subject_id == TRACK + key:
            subjects.pop(key, None)
        else:
            subjects[key] = subject_id
        self._changed.add(bucket_of(key))

    def sessions(self, subject_id: str) -> Grouped:
        raw = self._bucket(home_of(subject_id)).sessions.get(subject_id)
        return _GROUPED.decode(raw) if raw else []

    def put_sessions(self, subject_id: str, groups: Grouped) -> None:
        sessions = self._bucket(home_of(subject_id)).sessions
        if groups:
            sessions[subject_id] = msgspec.Raw(_ENCODER.encode(groups))
        else:
            sessions.pop(subject_id, None)
        self._changed.add(home_of(subject_id))

    def note_move(self, key: str, old_subject: str, subject: str, known: MergedAppearance) -> None:
        self._moves.append(_Move(key, old_subject, subject, known))

    def writes(self) -> Iterator[tuple[int, bytes]]:
        """The changed buckets as they must be written, in this order.

        A crash can leave any first part of the writes behind, and the reports are then read again. No part of them may
        lack an appearance that had been there: what moves is written where it goes, then taken from where it was, then
        looked up under its new subject. A bucket that has two of these parts is written in two or three forms.
        """
        entered = {home_of(move.subject) for move in self._moves}
        left = {home_of(move.old_subject) for move in self._moves}
        # A track is looked up in the bucket that it leaves, and one write changes both.
        looked_up = {bucket_of(move.key) for move in self._moves if move.old_subject != TRACK + move.key}
        for number in sorted(entered & (left | looked_up)):
            yield number, _ENCODER.encode(self._before_moves(number, keep_left=True))
        for number in sorted(entered - left - looked_up):
            yield number, _ENCODER.encode(self._bucket(number))
        for number in sorted(left & looked_up):
            yield number, _ENCODER.encode(self._before_moves(number, keep_left=False))
        for number in sorted(self._changed - (entered - left - looked_up), key=lambda n: (n in looked_up, n)):
            yield number, _ENCODER.encode(self._bucket(number))

    def _before_moves(self, number: int, *, keep_left: bool) -> Bucket:
        bucket = self._bucket(number)
        kept = Bucket(dict(bucket.sessions), dict(bucket.subjects))
        # Latest first, so that of several moves of one key the place where it was at first is what stays.
        for move in reversed(self._moves):
            old = move.old_subject
            if keep_left and home_of(old) == number:
                groups = _GROUPED.decode(kept.sessions[old]) if old in kept.sessions else []
                kept.sessions[old] = msgspec.Raw(_ENCODER.encode([*groups, [move.known]]))
            if bucket_of(move.key) == number:
                kept.subjects.pop(move.key, None)
                if old != TRACK + move.key:
                    kept.subjects[move.key] = old
        return kept

    def _bucket(self, number: int) -> Bucket:
        if number not in self._buckets:
            value = self._read(number)
            self._buckets[number] = _BUCKETS.decode(value) if value else Bucket({}, {})
        return self._buckets[number]
