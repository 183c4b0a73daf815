"""The sessionizer's state of one camera, in buckets, so that a live record writes little and bulk writes few values.

Two kinds of values: sessions by subject, and an index from appearance to the bucket where its subject's sessions lie. A
live record writes one value of each, at most `SESSIONS_BYTES` and `INDEX_BYTES`; an envelope of 500 rows at most all
128, where a value a subject would be hundreds. Subjects that nobody asks for stay undecoded.

A value that grows beyond its bytes forgets what was longest not reported, and keeps the span of time in which that
lay: what later falls near it may lack something, and is told as `partial`.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain

import msgspec

from services.common.events.appearances import MergedAppearance
from services.common.kept import read_kept
from services.common.sessions import Grouped, by_start, end_of
from services.processor.domain.places import MINUTE, key_hash, minute_at, place_of, subject_at, subject_hash
from services.processor.domain.timespans import TimeSpan, hull, touch

BUCKETS = 64
"""Of each kind. Part of the state's layout: another number needs a fresh state."""

SESSIONS_BYTES = 6 * 1024
INDEX_BYTES = 3 * 512
"""Some 50 appearances, and the places of twice as many: 3,000 appearances a camera, half a megabyte."""

KEPT_SHARE = 0.75
"""Of its bytes, when a value forgets: it then does so once in a while and not at every report."""


class _Sessions(msgspec.Struct, array_like=True):
    """Subjects in the order of their last report."""

    subjects: dict[str, msgspec.Raw]
    forgotten: TimeSpan | None = None


class _Index(msgspec.Struct, array_like=True):
    """64-bit hash of an appearance key → minute of its start since 1970, and 32-bit hash of its subject."""

    places: dict[int, int]
    forgotten: TimeSpan | None = None


@dataclass(frozen=True, slots=True)
class Found:
    subject_id: str
    appearance: MergedAppearance


_ENCODER = msgspec.msgpack.Encoder()
_SESSIONS = msgspec.msgpack.Decoder(_Sessions)
_INDEX = msgspec.msgpack.Decoder(_Index)
_GROUPED = msgspec.msgpack.Decoder(Grouped)


def home_of(subject_id: str) -> int:
    """The bucket of a subject's sessions."""
    return subject_hash(subject_id) % BUCKETS


class CameraState:
    """One camera's appearances, read value by value through `read` and changed in memory until `writes` is taken.

    `horizon` is the instant before which nothing is known at all, where the state was built from a log that began then.
    """

    def __init__(self, read: Callable[[str], bytes | None], horizon: datetime | None = None) -> None:
        self._read = read
        self._horizon = horizon
        self._buckets: dict[int, _Sessions] = {}
        self._indices: dict[int, _Index] = {}
        self._groups: dict[str, Grouped] = {}
        self._touched: dict[str, None] = {}
        self._added: set[int] = set()
        self._moves: dict[int, tuple[Found, int]] = {}
        self._withdrawn: dict[int, int] = {}

    def find_or_place(self, report: MergedAppearance, subject_id: str) -> Found | None:
        """The appearance as known by now, and under which subject. A new one gets its place, under `subject_id`; where
        it may have been forgotten, the time about it becomes doubtful."""
        hashed = key_hash(report.appearance_key)
        index = self._index(hashed % BUCKETS)
        place = index.places.get(hashed)
        if place is None:
            forgotten = index.forgotten
        else:
            found = self._look(subject_at(place), report, subject_id)
            if found:
                return found
            forgotten = self._bucket(subject_at(place) % BUCKETS).forgotten
        if touch(forgotten, report.started_at, report.ended_at):
            self._doubt(home_of(subject_id), report)
        self._added.add(hashed)
        index.places[hashed] = place_of(report.started_at, subject_id)
        return None

    def held(self, subject_id: str, key: str) -> MergedAppearance | None:
        for group in reversed(self.sessions(subject_id)):
            for seen in group:
                if seen.appearance_key == key:
                    return seen
        return None

    def move(self, found: Found, seen: MergedAppearance, subject_id: str) -> None:
        """The appearance leaves the subject it was found under; a crash may not lose it on the way."""
        hashed = key_hash(seen.appearance_key)
        places = self._index(hashed % BUCKETS).places
        if hashed not in self._added and hashed not in self._moves:
            self._moves[hashed] = found, places[hashed]
        places[hashed] = place_of(seen.started_at, subject_id)

    def withdraw(self, keys: Collection[str]) -> list[Found]:
        """Know no place of the appearances any more; gives them as known, for whoever has them to let go of them.

        Whoever has one whose place was forgotten would have it for ever, so all that is known is looked through.
        """
        for hashed in map(key_hash, keys):
            place = self._index(hashed % BUCKETS).places.pop(hashed, None)
            moved = self._moves.pop(hashed, None)
            if hashed in self._added:
                self._added.remove(hashed)
            elif place is not None:
                self._withdrawn[hashed] = moved[1] if moved else place
        known = dict.fromkeys(chain(self._touched, *(self._bucket(number).subjects for number in range(BUCKETS))))
        return [
            Found(subject_id, seen)
            for subject_id in known
            for group in self.sessions(subject_id)
            for seen in group
            if seen.appearance_key in keys
        ]

    def sessions(self, subject_id: str) -> Grouped:
        groups = self._groups.get(subject_id)
        if groups is None:
            raw = self._bucket(home_of(subject_id)).subjects.get(subject_id)
            groups = self._groups[subject_id] = read_kept(_GROUPED, raw) if raw else []
        return groups

    def put_sessions(self, subject_id: str, groups: Grouped) -> None:
        self._groups[subject_id] = groups
        self._touched.pop(subject_id, None)
        self._touched[subject_id] = None

    def is_partial(self, subject_id: str, start: datetime, end: datetime) -> bool:
        """Whether something that was forgotten may touch ``[start, end]`` of this subject."""
        if self._horizon is not None and start <= self._horizon:
            return True
        return touch(self._bucket(home_of(subject_id)).forgotten, start, end)

    def writes(self) -> Iterator[tuple[str, bytes]]:
        """The changed values as they must be written, in this order.

        A crash can leave any first part of the writes behind, and the reports are then read again. No part of them may
        lack an appearance that had been there, nor hold one where it is never looked for again: a new one gets its
        place first; one that moves is written where it goes, then taken from where it was, then looked up under its new
        subject; one that is withdrawn loses its place last. A value that takes part in two of these is written twice,
        first with what will leave still in it.
        """
        changed: dict[int, list[str]] = {}
        for subject_id in self._touched:
            changed.setdefault(home_of(subject_id), []).append(subject_id)
        given: dict[int, list[Found]] = {}
        places: dict[int, dict[int, int]] = {}
        for hashed, (found, place) in self._moves.items():
            # One that came back is where it was, and may not be there twice.
            if subject_at(self._index(hashed % BUCKETS).places[hashed]) != subject_at(place):
                places.setdefault(hashed % BUCKETS, {})[hashed] = place
                given.setdefault(home_of(found.subject_id), []).append(found)
        for hashed, place in self._withdrawn.items():
            if self._index(hashed % BUCKETS).places.get(hashed) != place:
                places.setdefault(hashed % BUCKETS, {})[hashed] = place
        for number in {hashed % BUCKETS for hashed in self._added}:
            yield _index_key(number), self._encoded_index(number, places.get(number, {}))
        for number, subjects in changed.items():
            if number in given:
                yield _sessions_key(number), _ENCODER.encode(self._with_kept(number, subjects, given[number]))
            else:
                yield _sessions_key(number), self._encoded(number, subjects)
        for number in given:
            yield _sessions_key(number), self._encoded(number, changed[number])
        for number in places:
            yield _index_key(number), self._encoded_index(number, {})

    def _look(self, hashed_subject: int, report: MergedAppearance, named: str) -> Found | None:
        """The appearance under the subject of that hash: most likely the one that the report names."""
        for subject_id in chain((named,), self._touched, self._bucket(hashed_subject % BUCKETS).subjects):
            if subject_hash(subject_id) == hashed_subject and (seen := self.held(subject_id, report.appearance_key)):
                return Found(subject_id, seen)
        return None

    def _doubt(self, number: int, report: MergedAppearance) -> None:
        bucket = self._bucket(number)
        bucket.forgotten = hull(bucket.forgotten, report.started_at, report.ended_at)

    def _encoded(self, number: int, subjects: list[str]) -> bytes:
        bucket = self._with(number, subjects)
        value = _ENCODER.encode(bucket)
        if len(value) > SESSIONS_BYTES:
            self._forget(bucket, len(value) - int(SESSIONS_BYTES * KEPT_SHARE))
            value = _ENCODER.encode(bucket)
        return value

    def _with(self, number: int, subjects: list[str]) -> _Sessions:
        """The bucket with the subjects' sessions as they are now."""
        bucket = self._bucket(number)
        for subject_id in subjects:
            bucket.subjects.pop(subject_id, None)
            if groups := self._groups[subject_id]:
                bucket.subjects[subject_id] = msgspec.Raw(_ENCODER.encode(groups))
        return bucket

    def _with_kept(self, number: int, subjects: list[str], given: list[Found]) -> _Sessions:
        bucket = self._with(number, subjects)
        kept: dict[str, Grouped] = {}
        for found in given:
            groups = kept.get(found.subject_id, self.sessions(found.subject_id))
            kept[found.subject_id] = _with_appearance(groups, found.appearance)
        raws = {subject_id: msgspec.Raw(_ENCODER.encode(groups)) for subject_id, groups in kept.items()}
        return _Sessions(bucket.subjects | raws, bucket.forgotten)

    def _forget(self, bucket: _Sessions, surplus: int) -> None:
        """Drop what was longest not reported: whole subjects, and of the last one left its earliest sessions."""
        while surplus > 0 and bucket.subjects:
            subject_id = next(iter(bucket.subjects))
            groups = self.sessions(subject_id)
            dropped = groups if len(bucket.subjects) > 1 else groups[:1]
            for group in dropped:
                bucket.forgotten = hull(bucket.forgotten, group[0].started_at, end_of(group))
            surplus -= len(bucket.subjects.pop(subject_id))
            rest = self._groups[subject_id] = groups[len(dropped) :]
            if rest:
                bucket.subjects[subject_id] = msgspec.Raw(_ENCODER.encode(rest))
                surplus += len(bucket.subjects[subject_id])

    def _encoded_index(self, number: int, before: dict[int, int]) -> bytes:
        """The index, with some places as they were `before`."""
        index = self._index(number)
        value = _ENCODER.encode(index)
        if len(value) > INDEX_BYTES:
            for hashed in list(index.places)[: int(len(index.places) * (1 - KEPT_SHARE))]:
                start = minute_at(index.places.pop(hashed))
                index.forgotten = hull(index.forgotten, start, start + MINUTE)
        elif not before:
            return value
        return _ENCODER.encode(_Index(index.places | before, index.forgotten))

    def _bucket(self, number: int) -> _Sessions:
        bucket = self._buckets.get(number)
        if bucket is None:
            value = self._read(_sessions_key(number))
            bucket = self._buckets[number] = read_kept(_SESSIONS, value) if value is not None else _Sessions({})
        return bucket

    def _index(self, number: int) -> _Index:
        index = self._indices.get(number)
        if index is None:
            value = self._read(_index_key(number))
            index = self._indices[number] = read_kept(_INDEX, value) if value is not None else _Index({})
        return index


def _with_appearance(groups: Grouped, seen: MergedAppearance) -> Grouped:
    """The sessions with an appearance put back: those that it overlaps are one with it, whatever the gap."""
    joined = [seen]
    others = []
    for group in groups:
        if group[0].started_at <= seen.ended_at and end_of(group) >= seen.started_at:
            joined += group
        else:
            others.append(group)
    return sorted([*others, sorted(joined, key=by_start)], key=lambda group: by_start(group[0]))


def _index_key(number: int) -> str:
    return f"i{number}"


def _sessions_key(number: int) -> str:
    return f"s{number}"
