"""The sessionizer: reports of appearances in, session revisions out.

Nothing is ever closed. The state holds every appearance of a camera, merged over its reports, in the sessions that have
been told to the world; a step merges the new reports in and tells how the sessions of the touched subjects changed.
"""

from collections.abc import Iterable
from datetime import timedelta

from msgspec.structs import replace

from services.common.events.appearances import Appearance, MergedAppearance
from services.common.events.sessions import Session
from services.common.sessions import Grouped, session_id_of, session_of, split
from services.processor.domain.buckets import CameraState


def step(
    state: CameraState, reports: Iterable[Appearance], *, camera_id: str, gap: timedelta, revision: int
) -> list[Session]:
    """Take the reports into the state, and give every session record that they change.

    The result does not depend on the order of reports, on repetition or on how they are cut into steps; only records
    that differ from what was told before come out, absorbed ones first.
    """
    before: dict[str, Grouped] = {}
    present: dict[str, dict[str, MergedAppearance]] = {}

    def appearances_of(subject_id: str) -> dict[str, MergedAppearance]:
        if subject_id not in present:
            before[subject_id] = state.sessions(subject_id)
            present[subject_id] = {seen.appearance_key: seen for group in before[subject_id] for seen in group}
        return present[subject_id]

    moved: dict[str, str] = {}
    for key, report in _merged_by_key(reports).items():
        old_subject = state.subject_of(key)
        known = appearances_of(old_subject).get(key)
        merged = known.merge(report) if known else report
        subject = merged.subject_id
        if subject != old_subject:
            there = appearances_of(subject)
            # A move that a crash interrupted leaves the appearance with both subjects.
            merged = merged.merge(there[key]) if key in there else merged
            if known:
                state.note_move(key, old_subject, subject, known)
                del present[old_subject][key]
            state.set_subject(key, subject)
        present[subject][key] = merged
        moved[key] = subject

    after = {subject: split(seen.values(), gap) for subject, seen in present.items()}
    for subject, groups in after.items():
        if groups != before[subject]:
            state.put_sessions(subject, groups)
    return _changes(camera_id, before, after, moved, revision)


def _changes(
    camera_id: str, before: dict[str, Grouped], after: dict[str, Grouped], moved: dict[str, str], revision: int
) -> list[Session]:
    told = _sessions(camera_id, before, revision)
    now = _sessions(camera_id, after, revision)
    holder = {
        (subject, seen.appearance_key): session_id_of(camera_id, subject, group)
        for subject, groups in after.items()
        for group in groups
        for seen in group
    }
    absorbed = []
    for session_id, (session, first_key) in told.items():
        if session_id not in now:
            subject = moved.get(first_key, session.subject_id)
            absorbed.append(replace(session, status="absorbed", absorbed_into=holder[subject, first_key]))
    active = [session for session_id, (session, _) in now.items() if told.get(session_id, (None, ""))[0] != session]
    return absorbed + active


def _sessions(camera_id: str, grouped: dict[str, Grouped], revision: int) -> dict[str, tuple[Session, str]]:
    found = {}
    for subject, groups in grouped.items():
        for group in groups:
            session = session_of(camera_id, subject, group, revision)
            found[session.session_id] = (session, group[0].appearance_key)
    return found


def _merged_by_key(reports: Iterable[Appearance]) -> dict[str, MergedAppearance]:
    merged: dict[str, MergedAppearance] = {}
    for report in reports:
        one = MergedAppearance.of(report)
        known = merged.get(one.appearance_key)
        merged[one.appearance_key] = known.merge(one) if known else one
    return merged
