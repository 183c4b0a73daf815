"""The sessionizer: reports of appearances in, session revisions out.

Nothing is ever closed. The state holds the appearances of a camera, merged over their reports, in the sessions that
have been told to the world; a step merges the new reports in and tells which sessions of the touched subjects changed.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from msgspec import Struct, field
from msgspec.structs import replace

from services.common.events.appearances import Appearance, MergedAppearance
from services.common.events.sessions import Session
from services.common.sessions import Grouped, end_of, session_id_of, session_of, split
from services.processor.domain.buckets import CameraState


class _Change(Struct):
    """What a step does to one subject: appearances as they are now, keys that leave, and the time in which all lie.

    Of the keys that leave, `withdrawn` are those that no report of the step brings back.
    """

    start: datetime
    end: datetime
    seen: dict[str, MergedAppearance] = field(default_factory=dict)
    left: set[str] = field(default_factory=set)
    withdrawn: set[str] = field(default_factory=set)
    partial: bool = False
    before: Grouped = field(default_factory=list)
    after: Grouped = field(default_factory=list)


def step(
    state: CameraState, reports: Iterable[Appearance], *, camera_id: str, gap: timedelta, revision: int
) -> list[Session]:
    """Take the reports into the state, and give every session record that they change.

    The result does not depend on the order of reports, on repetition or on how they are cut into steps; only records
    that differ from what was told before come out, absorbed ones first. Where the state has forgotten what may belong
    to a session, its record is `partial`.

    The state does not know who reported an appearance, so a withdrawn one is forgotten whole, and all that this changes
    is `partial`, absorbed ones too: others may still report it.
    """
    changes = _changes(state, reports)
    for subject_id, change in changes.items():
        _apply(state, subject_id, change, gap)
    absorbed: list[Session] = []
    active: list[Session] = []
    for subject_id, change in changes.items():
        told = {group[0].appearance_key: group for group in change.before}
        now = {group[0].appearance_key for group in change.after}
        absorbed += (
            replace(
                session_of(camera_id, subject_id, group, revision),
                status="absorbed",
                absorbed_into=None if first in change.withdrawn else _holder(camera_id, changes, subject_id, first),
                partial=change.partial,
            )
            for first, group in told.items()
            if first not in now
        )
        for group in change.after:
            before = told.get(group[0].appearance_key)
            if before == group:
                continue
            session = session_of(camera_id, subject_id, group, revision)
            if change.partial or state.is_partial(subject_id, session.started_at - gap, session.ended_at + gap):
                active.append(replace(session, partial=True))
            elif (
                before is None
                or len(before) != len(group)
                or session_of(camera_id, subject_id, before, revision) != session
            ):
                active.append(session)
    return absorbed + active


def _changes(state: CameraState, reports: Iterable[Appearance]) -> dict[str, _Change]:
    """What the reports say anew, by subject."""
    changes: dict[str, _Change] = {}
    merged, withdrawn = _merged_by_key(reports)
    for gone in state.withdraw(withdrawn) if withdrawn else ():
        key = gone.appearance.appearance_key
        change = _change_of(changes, gone.subject_id, gone.appearance)
        change.partial = True
        change.left.add(key)
        if key not in merged:
            change.withdrawn.add(key)
    for key, report in merged.items():
        seen, subject_id = report, report.subject_id
        found = state.find_or_place(report, subject_id)
        if found is not None:
            seen = found.appearance.merge(report)
            if seen == found.appearance:
                continue
            subject_id = seen.subject_id
            if subject_id != found.subject_id:
                state.move(found, seen, subject_id)
                _change_of(changes, found.subject_id, found.appearance).left.add(key)
        _change_of(changes, subject_id, seen).seen[key] = seen
    return changes


def _change_of(changes: dict[str, _Change], subject_id: str, seen: MergedAppearance) -> _Change:
    change = changes.get(subject_id)
    if change is None:
        change = changes[subject_id] = _Change(seen.started_at, seen.ended_at)
    else:
        if seen.started_at < change.start:
            change.start = seen.started_at
        if seen.ended_at > change.end:
            change.end = seen.ended_at
    return change


def _apply(state: CameraState, subject_id: str, change: _Change, gap: timedelta) -> None:
    """Cut the sessions about the change anew; those that lie farther off than the gap stay as they are."""
    groups = state.sessions(subject_id)
    earliest, latest = change.start - gap, change.end + gap
    last = len(groups)
    while last and groups[last - 1][0].started_at > latest:
        last -= 1
    first = last
    while first and end_of(groups[first - 1]) >= earliest:
        first -= 1
    change.before = groups[first:last]
    seen = {
        one.appearance_key: one for group in change.before for one in group if one.appearance_key not in change.left
    }
    for key, one in change.seen.items():
        # What a crash kept out of the index, or left with both subjects of a move, is here already.
        seen[key] = seen[key].merge(one) if key in seen else one
    change.after = split(seen.values(), gap)
    state.put_sessions(subject_id, [*groups[:first], *change.after, *groups[last:]])


def _holder(camera_id: str, changes: dict[str, _Change], subject_id: str, key: str) -> str:
    """The session that holds the appearance now: the subject's own, or that of the subject it moved to."""
    return next(_holders(camera_id, {subject_id: changes[subject_id], **changes}, key))


def _holders(camera_id: str, changes: dict[str, _Change], key: str) -> Iterator[str]:
    for subject_id, change in changes.items():
        for group in change.after:
            if any(seen.appearance_key == key for seen in group):
                yield session_id_of(camera_id, subject_id, group)


def _merged_by_key(reports: Iterable[Appearance]) -> tuple[dict[str, MergedAppearance], set[str]]:
    """What is reported of each appearance, after its withdrawal if there is one; and what is withdrawn."""
    merged: dict[str, MergedAppearance] = {}
    withdrawn: set[str] = set()
    for report in reports:
        if report.withdrawn:
            withdrawn.add(report.appearance_key)
            merged.pop(report.appearance_key, None)
            continue
        one = MergedAppearance.of(report)
        known = merged.get(one.appearance_key)
        merged[one.appearance_key] = known.merge(one) if known else one
    return merged, withdrawn
