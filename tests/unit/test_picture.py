"""The active sessions of a slot without their names, kept up to date by what comes and goes."""

from collections.abc import Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from services.insights.domain.picture import Picture
from services.insights.domain.spans import Span

Bounds = tuple[int, int, bool]


def span(bounds: Bounds) -> Span:
    start, end, active = bounds
    return Span("session", "subject", start, end, reach=end, revision=2, active=active)


def as_lists(picture: Picture) -> list[list[int]]:
    return [picture.starts.tolist(), picture.ends.tolist(), picture.instants.tolist()]


BOUNDS = st.tuples(st.integers(0, 6), st.integers(0, 3), st.booleans()).map(
    lambda drawn: (drawn[0], drawn[0] + drawn[1], drawn[2])
)


@given(before=st.lists(BOUNDS, max_size=6), come=st.lists(BOUNDS, max_size=6), data=st.data())
def test_what_comes_and_goes_leaves_the_picture_of_the_rest(
    before: list[Bounds], come: list[Bounds], data: st.DataObject
) -> None:
    order = data.draw(st.permutations([*before, *come]))
    count = data.draw(st.integers(0, len(order)))
    gone, left = order[:count], order[count:]
    changed = Picture.of(map(span, before)).changed(gone=list(map(span, gone)), come=list(map(span, come)))
    assert as_lists(changed) == as_lists(Picture.of(map(span, left)))


@given(sessions=st.lists(BOUNDS, max_size=6), start=st.integers(0, 8), length=st.integers(1, 4))
def test_counts_in_an_interval_are_those_of_the_single_sessions(
    sessions: Sequence[Bounds], start: int, length: int
) -> None:
    end = start + length
    active = [(begin, until) for begin, until, counts in sessions if counts]
    picture = Picture.of(map(span, sessions))
    assert picture.busy(start, end) == sum(max(min(until, end) - max(begin, start), 0) for begin, until in active)
    assert picture.starting_in(start, end) == sum(start <= begin < end for begin, _ in active)
    assert picture.over_by(start) == sum(until <= start and (begin, until) != (start, start) for begin, until in active)
    levels = picture.levels(start, end)
    assert levels.times[0] == start
    assert levels.times[-1] == end
    assert np.all(np.diff(levels.times) >= 0)
    assert [levels.at(instant) for instant in range(start, end)] == [
        sum(begin <= instant < until for begin, until in active) for instant in range(start, end)
    ]
