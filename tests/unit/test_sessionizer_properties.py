"""Any order, repetition, cut into records and crash gives what one batch over all reports gives."""

from collections import defaultdict
from datetime import timedelta
from itertools import pairwise, permutations, product
from typing import Any
from unittest.mock import patch

from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.common.events.appearances import Appearance, subject_id_of
from services.common.events.common import OTHER, stable_id
from services.common.events.sessions import Session
from services.processor.domain.buckets import CameraState
from services.processor.domain.sessionizer import step
from tests.support.meeting import BEGINNINGS, CAMERA, T0, a_report
from tests.support.sessionizer import handle

GAP_SECONDS = 60

Row = dict[str, Any]


def batch_sessions(reports: list[Appearance]) -> dict[str, Row]:
    """The definitions, read off one by one: appearances by key, then sessions by subject."""
    by_key: dict[str, list[Appearance]] = defaultdict(list)
    for one in reports:
        by_key[one.appearance_key].append(one)
    by_subject: dict[str, list[Row]] = defaultdict(list)
    for key, told in by_key.items():
        persons = sorted((r.reported_at, r.person_id) for r in told if r.person_id)
        pois = sorted((r.reported_at, r.poi_id) for r in told if r.poi_id)
        subject = persons[-1][1] if persons else f"poi:{pois[-1][1]}" if pois else f"track:{key}"
        newest = max(told, key=lambda r: (r.reported_at, f'{{"age_group":"{r.age_group}","gender":"{r.gender}"}}'))
        by_subject[str(subject)].append(
            {
                "key": key,
                "start": min(r.started_at for r in told),
                "end": max(r.ended_at for r in told),
                "age_group": newest.age_group,
                "gender": newest.gender,
            }
        )
    sessions = {}
    for subject, rows in by_subject.items():
        rows.sort(key=lambda row: (row["start"], row["key"]))
        runs: list[list[Row]] = []
        for row in rows:
            if runs and (row["start"] - max(r["end"] for r in runs[-1])).total_seconds() <= GAP_SECONDS:
                runs[-1].append(row)
            else:
                runs.append([row])
        for run in runs:
            sessions[stable_id(CAMERA, subject, run[0]["key"])] = {
                "subject_id": subject,
                "started_at": run[0]["start"],
                "ended_at": max(r["end"] for r in run),
                "visible_seconds": covered_seconds(run),
                "appearance_count": len(run),
                "age_group": demographic(run, "age_group"),
                "gender": demographic(run, "gender"),
            }
    return sessions


def covered_seconds(run: list[Row]) -> float:
    """Length of the union: every stretch between two neighbouring bounds that some appearance covers."""
    bounds = sorted({instant for row in run for instant in (row["start"], row["end"])})
    covered = [b - a for a, b in pairwise(bounds) if any(row["start"] <= a and b <= row["end"] for row in run)]
    return sum(covered, timedelta()).total_seconds()


def demographic(run: list[Row], field: str) -> str:
    known = [row for row in run if row[field] != OTHER]
    return str(max(known, key=lambda row: (row["end"], row["key"]))[field]) if known else OTHER


def latest(stream: list[Session]) -> dict[str, Session]:
    """What a reader who keeps the greatest revision of each session has in the end."""
    kept: dict[str, Session] = {}
    for session in stream:
        if session.session_id not in kept or session.revision > kept[session.session_id].revision:
            kept[session.session_id] = session
    return kept


def active(stream: list[Session]) -> dict[str, Row]:
    fields = ("subject_id", "started_at", "ended_at", "visible_seconds", "appearance_count", "age_group", "gender")
    return {
        session.session_id: {field: getattr(session, field) for field in fields}
        for session in latest(stream).values()
        if session.status == "active"
    }


def absorbers_exist(stream: list[Session]) -> bool:
    known = {session.session_id for session in stream}
    return all(session.absorbed_into in known for session in stream if session.status == "absorbed")


@settings(max_examples=300, deadline=None)
@given(reports=BEGINNINGS.flatmap(lambda at: st.lists(a_report(at), min_size=1, max_size=25)), data=st.data())
def test_any_order_repetition_and_batching_gives_the_batch_result(
    reports: list[Appearance], data: st.DataObject
) -> None:
    repeated = data.draw(st.permutations(reports + data.draw(st.lists(st.sampled_from(reports), max_size=10))))
    values: dict[str, bytes] = {}
    stream: list[Session] = []
    offset = 0
    while repeated:
        size = data.draw(st.integers(1, len(repeated)))
        record, repeated = repeated[:size], repeated[size:]
        state = CameraState(values.get)
        stream += step(state, record, camera_id=CAMERA, gap=timedelta(seconds=GAP_SECONDS), revision=offset + 1)
        values.update(state.writes())
        offset += 1
    assert active(stream) == batch_sessions(reports)
    assert absorbers_exist(stream)


@settings(max_examples=25, deadline=None)
@given(reports=BEGINNINGS.flatmap(lambda at: st.lists(a_report(at), min_size=4, max_size=4)))
def test_every_permutation_in_every_cut_into_records_gives_the_batch_result(reports: list[Appearance]) -> None:
    expected = batch_sessions(reports)
    for order in permutations(reports):
        for cuts in product((False, True), repeat=len(order) - 1):
            records: list[list[Appearance]] = [[order[0]]]
            for one, cut in zip(order[1:], cuts, strict=True):
                if cut:
                    records.append([])
                records[-1].append(one)
            values: dict[str, bytes] = {}
            stream: list[Session] = []
            for offset, record in enumerate(records):
                told, writes = handle(values, [record], offset)
                values.update(writes)
                stream += told
            assert active(stream) == expected


def seen(key: str, person: str | None, start: int, reported: int = 0) -> Appearance:
    at = T0 + timedelta(seconds=start)
    return Appearance(
        appearance_key=key,
        camera_id=CAMERA,
        subject_id=subject_id_of(person, None, key),
        started_at=at,
        ended_at=at,
        reported_at=T0 + timedelta(seconds=reported),
        source="test",
        person_id=person,
    )


@settings(max_examples=200, deadline=None)
@example(  # one that goes away and comes back
    past=[seen("k0", None, 0), seen("k1", "bob", 90)],
    batch=[[seen("k1", "ann", 0, reported=1)], [seen("k0", "bob", 0), seen("k1", "bob", 0, reported=1)]],
    buckets=1,
)
@given(
    past=st.lists(a_report(), min_size=1, max_size=10),
    batch=st.lists(st.lists(a_report(), min_size=1, max_size=4), min_size=1, max_size=3),
    buckets=st.sampled_from([1, 2, 3, 64]),
)
def test_a_crash_after_any_part_of_the_writes_changes_nothing(
    past: list[Appearance], batch: list[list[Appearance]], buckets: int
) -> None:
    """Outputs are delivered before the state is written, so a crash leaves them and a first part of the writes; then
    the batch is read again, in records or in one go."""
    expected = batch_sessions([*past, *(one for record in batch for one in record)])
    with patch("services.processor.domain.buckets.BUCKETS", buckets):
        told, writes = handle({}, [past], 0)
        before = dict(writes)
        outputs, writes = handle(before, batch, 1)
        for written in range(len(writes) + 1):
            values = before | dict(writes[:written])
            stream = [*told, *outputs]
            for offset, record in enumerate(batch, 1):
                again, rewritten = handle(values, [record], offset)
                values |= dict(rewritten)
                stream += again
            assert active(stream) == expected
            assert active(handle(values, [[one] for one in past], 100)[0]) == {}


@settings(max_examples=200, deadline=None)
@given(records=st.lists(st.lists(a_report(), min_size=1, max_size=4), min_size=1, max_size=10), data=st.data())
def test_crashes_and_repeated_records_give_the_batch_result_all_the_same(
    records: list[list[Appearance]], data: st.DataObject
) -> None:
    values: dict[str, bytes] = {}
    stream: list[Session] = []
    committed = offset = 0
    crashes = data.draw(st.integers(0, 4))
    while offset < len(records):
        batch = records[offset : offset + data.draw(st.integers(1, 3))]
        outputs, writes = handle(values, batch, offset)
        offset += len(batch)
        if crashes and data.draw(st.booleans()):
            crashes -= 1
            delivered = data.draw(st.integers(0, len(outputs)))
            stream += outputs[:delivered]
            if delivered == len(outputs):
                values.update(writes[: data.draw(st.integers(0, len(writes)))])
            offset = committed
        else:
            stream += outputs
            values.update(writes)
            committed = data.draw(st.integers(committed, offset))
    assert active(stream) == batch_sessions([one for record in records for one in record])
