"""Appearances that are taken back, in tables of in and out. Times are seconds after `T0`."""

from unittest.mock import patch

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from services.common.events.appearances import Appearance
from tests.support.meeting import a_report
from tests.support.sessionizer import Feed, handle, seen, session_id, told


def gone(report: Appearance) -> Appearance:
    return replace(report, withdrawn=True)


def test_a_session_of_nothing_else_is_absorbed_into_nothing() -> None:
    feed = Feed()
    feed.put(one := seen("a", 0, 10, "ann"))
    [session] = feed.put(gone(one))
    assert told([session]) == [("absorbed", "ann", 0, 10)]
    assert (session.absorbed_into, session.partial) == (None, True)


def test_what_remains_of_a_session_is_told_as_partial_because_others_may_still_report_it() -> None:
    feed = Feed()
    feed.put(seen("a", 0, 10, "ann"), last := seen("b", 20, 30, "ann"))
    [session] = feed.put(gone(last))
    assert told([session]) == [("active", "ann", 0, 10)]
    assert session.partial


def test_a_session_splits_without_what_held_it_together() -> None:
    feed = Feed()
    feed.put(seen("a", 0, 10, "ann"), bridge := seen("b", 60, 70, "ann"), seen("c", 120, 130, "ann"))
    assert told(feed.put(gone(bridge))) == [("active", "ann", 0, 10), ("active", "ann", 120, 130)]


def test_a_session_without_its_first_appearance_is_another_one() -> None:
    feed = Feed()
    feed.put(first := seen("a", 0, 10, "ann"), seen("b", 20, 30, "ann"))
    absorbed, active = feed.put(gone(first))
    assert (absorbed.session_id, absorbed.absorbed_into) == (session_id("ann", "a"), None)
    assert (active.session_id, active.status) == (session_id("ann", "b"), "active")


def test_who_was_moved_to_a_person_is_found_there_by_whatever_report_takes_it_back() -> None:
    feed = Feed()
    feed.put(anonymous := seen("a", 0, 10))
    feed.put(seen("a", 0, 10, "ann"))
    assert told(feed.put(gone(anonymous))) == [("absorbed", "ann", 0, 10)]


def test_taking_back_what_nobody_knows_tells_nothing() -> None:
    assert Feed().put(gone(seen("a", 0, 10, "ann"))) == []


def test_what_is_reported_again_counts_again_and_is_whole() -> None:
    feed = Feed()
    feed.put(one := seen("a", 0, 10, "ann"))
    feed.put(gone(one))
    [session] = feed.put(one)
    assert told([session]) == [("active", "ann", 0, 10)]
    assert not session.partial


def test_within_a_record_the_order_of_items_decides() -> None:
    feed = Feed()
    one = seen("a", 0, 10, "ann")
    assert feed.put(one, gone(one)) == []
    assert told(feed.put(gone(one), one)) == [("active", "ann", 0, 10)]
    assert told(feed.put(gone(one), seen("a", 300, 310, "bob"))) == [
        ("absorbed", "ann", 0, 10),
        ("active", "bob", 300, 310),
    ]


@settings(max_examples=200, deadline=None)
@given(
    past=st.lists(a_report(), min_size=1, max_size=8),
    batch=st.lists(
        st.lists(st.builds(lambda one, out: replace(one, withdrawn=out), a_report(), st.booleans()), min_size=1),
        min_size=1,
        max_size=3,
    ),
    buckets=st.sampled_from([1, 2, 64]),
)
def test_whatever_a_crash_leaves_nothing_is_left_behind_where_it_is_never_looked_for(
    past: list[Appearance], batch: list[list[Appearance]], buckets: int
) -> None:
    """A crash after any part of the writes, then the batch again record by record; then all is taken back."""
    everything = [gone(one) for one in [*past, *(one for record in batch for one in record)]]
    with patch("services.processor.domain.buckets.BUCKETS", buckets):
        before = dict(handle({}, [past], 0)[1])
        writes = handle(before, batch, 1)[1]
        for written in range(len(writes) + 1):
            values = before | dict(writes[:written])
            for offset, record in enumerate(batch, 1):
                values |= dict(handle(values, [record], offset)[1])
            values |= dict(handle(values, [everything], 100)[1])
            assert not any(msgspec.msgpack.decode(value)[0] for value in values.values())
