"""Which session records may lack appearances, and what the stored appearances say instead.

A processor forgets: its memory is bounded, and its state may be lost. What it tells then is right for what it still
knows. The sink holds every appearance, so it can tell where that was not enough, and say what is right.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import chain

from msgspec import Struct
from msgspec.structs import replace

from services.common.events.appearances import MergedAppearance
from services.common.events.sessions import Session, revision_of_repair
from services.common.sessions import session_of, split
from services.sink.domain.facts import Check, Facts, GapOf, Span
from services.sink.domain.moved import moved
from services.sink.domain.rows import AppearanceRow, newest


def is_doubtful(told: Session, stored: Session | None, *, doubted: bool) -> bool:
    """Whether the record says so itself, or its session was in doubt before.

    Who once knew less of a session may do so still, though all he told was right: so whatever the processor says of
    such a one is looked at.
    """
    is_newer = stored is None or told.revision > stored.revision
    return (told.partial and is_newer) or (doubted and told.revision % 2 == 0)


def _differs(told: Session, stored: Session) -> bool:
    return told.revision == stored.revision and not told.partial and told != stored


def misleading(
    stored: AppearanceRow | None, reports: Sequence[tuple[int, MergedAppearance]], now: AppearanceRow
) -> list[Check]:
    """Where to look again after new (revision, report) pairs of one appearance, in order of the log.

    Who had forgotten what was reported before would believe the last report; so that must say all that is known. And
    who does not know of whom the appearance was before leaves it there.
    """
    subjects = {report.subject_id for _, report in reports} | {now.merged.subject_id}
    if stored:
        subjects.add(stored.merged.subject_id)
    if len(subjects) == 1 and reports[-1][1] == now.merged:
        return []
    return [
        Check(Span(now.camera_id, subject, now.merged.started_at, now.merged.ended_at), revision)
        for subject in sorted(subjects)
        for revision in sorted({revision for revision, _ in reports})
    ]


def joined(spans: Iterable[Span], gap_of: GapOf) -> list[Span]:
    """The spans in order, those of one subject that lie at most the gap apart as one."""
    found: list[Span] = []
    for span in sorted(spans):
        last = found[-1] if found else None
        if (
            last
            and (last.camera_id, last.subject_id) == (span.camera_id, span.subject_id)
            and span.started_at - last.ended_at <= gap_of(span.camera_id)
        ):
            found[-1] = replace(last, ended_at=max(last.ended_at, span.ended_at))
        else:
            found.append(span)
    return found


class _Around(Struct, frozen=True):
    """Spans that touch no session or appearance of their subjects but those in them, and these, span by span."""

    spans: list[Span]
    sessions: list[list[Session]]
    appearances: list[list[MergedAppearance]]


async def settle(facts: Facts, told: Iterable[Session], gap_of: GapOf) -> list[Session]:
    """Store the records that are newer, and what puts right whatever they leave in doubt; returns the latter.

    The appearances must be stored as far as the revisions of the records say.
    """
    told = list(told)
    records = newest(told, lambda each: each.session_id, lambda each: each.revision)
    stored = {each.session_id: each for each in await facts.sessions_by_id([each.session_id for each in records])}
    newer = [
        each for each in records if each.session_id not in stored or each.revision > stored[each.session_id].revision
    ]
    await facts.add([each for each in newer if each.session_id not in stored])
    await facts.put([each for each in newer if each.session_id in stored])
    doubted = await facts.doubted(stored)
    # Not only the newest: a repaired record that is read again must not hide what the processor said before it.
    doubtful = [
        each for each in told if is_doubtful(each, stored.get(each.session_id), doubted=each.session_id in doubted)
    ]
    doubtful += await facts.contradicted([each for each in newer if each.status == "active"])
    doubts = [Span.of(each) for each in doubtful]
    # What a record took away from a session is no longer there to be found, and is in doubt as well.
    doubts += [Span.of(stored[each.session_id]) for each in doubtful if each.session_id in stored]
    reached: dict[str, int] = {}
    for each in told:
        # A repaired record, which is odd, says nothing of how far the processor has come.
        if each.revision % 2 == 0:
            reached[each.camera_id] = max(each.revision, reached.get(each.camera_id, 0))
    doubts += await facts.checks_due(reached)
    # Of a log that is read into another database, the repairs are all that is left of the doubts.
    await facts.doubt({each.session_id for each in newer if each.revision % 2})
    last = stored | {each.session_id: each for each in newer}
    # A processor that lost its state may say something else the second time, and of two that are equal in revision
    # readers may believe the later.
    otherwise = [each for each in told if _differs(each, last[each.session_id])]
    doubts += map(Span.of, otherwise)
    untold = {each.session_id: each for each in newer if each.partial}
    untold |= {each.session_id: last[each.session_id] for each in otherwise}
    around = await _look_around(facts, doubts, gap_of)
    return await _put_right(facts, around, gap_of, [*stored.values(), *told], last, untold)


async def look_again(facts: Facts, spans: Sequence[Span], gap_of: GapOf) -> list[Session]:
    """Store what puts right the sessions about the spans, and return it."""
    around = await _look_around(facts, spans, gap_of)
    there = list(chain.from_iterable(around.sessions))
    return await _put_right(facts, around, gap_of, there, {each.session_id: each for each in there}, {})


async def _put_right(
    facts: Facts,
    around: _Around,
    gap_of: GapOf,
    told: Iterable[Session],
    last: Mapping[str, Session],
    untold: Mapping[str, Session],
) -> list[Session]:
    repaired = await _repaired(facts, around, gap_of, untold)
    await facts.put(repaired)
    gone, again = moved(told, {**last, **{each.session_id: each for each in repaired}})
    await facts.put(again)
    await facts.doubt({each.session_id for each in chain(repaired, *around.sessions)})
    return repaired + gone + again


async def _look_around(facts: Facts, doubts: Iterable[Span], gap_of: GapOf) -> _Around:
    spans = joined(doubts, gap_of)
    if not spans:
        return _Around([], [], [])
    while True:
        sessions = await facts.sessions_touching(spans)
        appearances = await facts.appearances_in(spans)
        around = chain(
            spans,
            map(Span.of, chain.from_iterable(sessions)),
            (
                replace(span, started_at=seen.started_at, ended_at=seen.ended_at)
                for span, inside in zip(spans, appearances, strict=True)
                for seen in inside
            ),
        )
        wider = joined(around, gap_of)
        if wider == spans:
            return _Around(spans, sessions, appearances)
        spans = wider


async def _repaired(facts: Facts, around: _Around, gap_of: GapOf, untold: Mapping[str, Session]) -> list[Session]:
    """The session records that put right what is stored in the spans; none where it is right.

    `untold` are stored records, by id, that readers know as partial only, or otherwise: these are told anew even if
    they are right.
    """
    right = [
        [session_of(span.camera_id, span.subject_id, group, 0) for group in split(inside, gap_of(span.camera_id))]
        for span, inside in zip(around.spans, around.appearances, strict=True)
    ]
    active = {session.session_id: session for session in chain.from_iterable(around.sessions)}
    # Of all spans: an appearance may lie somewhere else since its earliest report was taken back.
    ids = {session.session_id for session in chain.from_iterable(right)}
    stored = active | {each.session_id: each for each in await facts.sessions_by_id(ids - active.keys())}
    corrections = [
        session
        for of_span, there in zip(right, around.sessions, strict=True)
        for session in _corrections(of_span, there, ids, stored, untold)
    ]
    told = {session.session_id for session in corrections}
    return corrections + [
        replace(each, partial=False, revision=revision_of_repair(each.revision))
        for each in untold.values()
        if each.session_id not in told
    ]


def _corrections(
    right: list[Session],
    active: list[Session],
    ids: Collection[str],
    stored: Mapping[str, Session],
    untold: Collection[str],
) -> list[Session]:
    told = [*active, *(stored[session.session_id] for session in right if session.session_id in stored)]
    revision = revision_of_repair(max((session.revision for session in told), default=0) + 1)
    absorbed = [
        replace(session, status="absorbed", absorbed_into=_holder(right, session.started_at), revision=revision)
        for session in active
        if session.session_id not in ids
    ]
    changed = [
        replace(session, revision=revision)
        for session in right
        if session.session_id in untold or not _same(session, stored.get(session.session_id))
    ]
    return absorbed + changed


def _same(right: Session, stored: Session | None) -> bool:
    return stored is not None and replace(right, revision=stored.revision) == stored


def _holder(right: Iterable[Session], instant: datetime) -> str | None:
    return next((each.session_id for each in right if each.started_at <= instant <= each.ended_at), None)
