"""The processor with next to no memory and the sink that repairs what it tells, against the oracle."""

import asyncio
from datetime import timedelta
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from services.common.events.appearances import Appearance, subject_id_of
from services.common.events.common import OTHER
from services.common.events.sessions import Session, revision_after
from services.processor.domain.buckets import CameraState
from services.processor.domain.sessionizer import step
from services.sink.domain.repair import look_again, settle
from tests.support.meeting import CAMERA, T0, a_report
from tests.support.shelf import GAP, Shelf, active, gap_of, right


@settings(max_examples=300, deadline=None)
@given(
    records=st.lists(st.lists(a_report(), min_size=1, max_size=4), min_size=1, max_size=12),
    sessions_bytes=st.sampled_from([0, 150, 300, 6000]),
    index_bytes=st.sampled_from([0, 40, 80, 1500]),
    buckets=st.sampled_from([1, 2, 64]),
    data=st.data(),
)
def test_what_a_bounded_state_forgets_is_put_right(
    records: list[list[Appearance]], sessions_bytes: int, index_bytes: int, buckets: int, data: st.DataObject
) -> None:
    """The sink reads the reports ahead of the sessions, by as much as happens; a crash has records read again."""
    values: dict[str, bytes] = {}
    shelf = Shelf()
    told: list[Session] = []
    ahead = 0
    offset = 0
    crashes = data.draw(st.integers(0, 2), label="crashes")
    with (
        patch("services.processor.domain.buckets.BUCKETS", buckets),
        patch("services.processor.domain.buckets.SESSIONS_BYTES", sessions_bytes),
        patch("services.processor.domain.buckets.INDEX_BYTES", index_bytes),
    ):
        while offset < len(records):
            batch = records[offset : offset + data.draw(st.integers(1, 3), label="records of a batch")]
            state = CameraState(values.get)
            sessions: dict[str, Session] = {}
            for number, record in enumerate(batch, offset):
                changed = step(state, record, camera_id=CAMERA, gap=GAP, revision=revision_after(number))
                sessions.update((session.session_id, session) for session in changed)
            writes = list(state.writes())
            told += sessions.values()
            if crashes and data.draw(st.booleans(), label="crash"):
                crashes -= 1
                values.update(writes[: data.draw(st.integers(0, len(writes)), label="written")])
            else:
                values.update(writes)
                offset += len(batch)
            until = max(ahead, offset + len(batch), data.draw(st.integers(0, len(records)), label="sink has read"))
            for number in range(ahead, min(until, len(records))):
                spans = shelf.report([(revision_after(number), report) for report in records[number]])
                asyncio.run(look_again(shelf, spans, gap_of))
            ahead = min(until, len(records))
            if data.draw(st.booleans(), label="sink stores"):
                asyncio.run(_store(shelf, told))
                told.clear()
    asyncio.run(_store(shelf, told))
    assert active(shelf) == right([report for record in records for report in record])


@st.composite
def a_recurring_report(draw: st.DrawFn) -> Appearance:
    """Of two appearances next to each other, so that nearly every report changes or repeats what is known."""
    key, start = draw(st.sampled_from([("k", 60), ("j", 0)]))
    one = a_sighting(key, draw(st.sampled_from(["ann", "bob", None])), start + draw(st.sampled_from([0, 10])))
    return replace(
        one,
        ended_at=one.started_at + timedelta(seconds=draw(st.sampled_from([30, 100]))),
        reported_at=T0 + timedelta(seconds=draw(st.integers(0, 3))),
        age_group=draw(st.sampled_from([OTHER, "adult", "teen"])),
    )


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.tuples(st.booleans(), st.lists(a_recurring_report(), min_size=1, max_size=2)), min_size=2, max_size=6)
)
def test_what_is_lost_unawares_is_put_right_though_nothing_more_is_told(
    records: list[tuple[bool, list[Appearance]]],
) -> None:
    """All state is gone before some of the records, and the sink follows record by record."""
    values: dict[str, bytes] = {}
    shelf = Shelf()
    for number, (is_lost, record) in enumerate(records):
        if is_lost:
            values.clear()
        state = CameraState(values.get)
        told = step(state, record, camera_id=CAMERA, gap=GAP, revision=revision_after(number))
        values.update(state.writes())
        spans = shelf.report([(revision_after(number), report) for report in record])
        asyncio.run(look_again(shelf, spans, gap_of))
        asyncio.run(_store(shelf, told))
    assert active(shelf) == right([report for _, record in records for report in record])


def test_a_session_absorbed_by_who_forgot_its_beginning_is_put_right() -> None:
    """A crash has the records read again, in two batches; by the second the processor has forgotten the first."""
    records = [a_sighting("k2", None, 0), a_sighting("k2", "bob", 30), a_sighting("k1", "bob", 30)]
    shelf = Shelf()

    def told_of(values: dict[str, bytes], *numbers: int) -> list[Session]:
        state = CameraState(values.get)
        sessions: dict[str, Session] = {}
        for number in numbers:
            changed = step(state, [records[number]], camera_id=CAMERA, gap=GAP, revision=revision_after(number))
            sessions.update((session.session_id, session) for session in changed)
        values.update(state.writes())
        return list(sessions.values())

    with (
        patch("services.processor.domain.buckets.BUCKETS", 1),
        patch("services.processor.domain.buckets.SESSIONS_BYTES", 0),
        patch("services.processor.domain.buckets.INDEX_BYTES", 0),
    ):
        before = told_of({}, 0, 1)
        values: dict[str, bytes] = {}
        again = told_of(values, 0) + told_of(values, 1, 2)
    shelf.report([(revision_after(number), report) for number, report in enumerate(records[:2])])
    asyncio.run(_store(shelf, before))
    shelf.report([(revision_after(2), records[2])])
    asyncio.run(_store(shelf, again))
    assert active(shelf) == right(records)


def a_sighting(key: str, person_id: str | None, seconds: int) -> Appearance:
    at = T0 + timedelta(seconds=seconds)
    return Appearance(
        appearance_key=key,
        camera_id=CAMERA,
        subject_id=subject_id_of(person_id, None, key),
        person_id=person_id,
        started_at=at,
        ended_at=at,
        reported_at=T0,
        source="test",
    )


async def _store(shelf: Shelf, told: list[Session]) -> None:
    await settle(shelf, told, gap_of)
