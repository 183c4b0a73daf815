"""From the bytes of a stream, however they are cut, to the events in them."""

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.corsight.chunks import RowRules
from services.ingest.corsight.stream import EventStream, elements_of
from services.ingest.intake import take
from tests.support.vendor_events import NOON, STATUS_EVENT, appearance_event

SOURCE = "corsight:sse"


def read(stream: bytes, *cuts: int, max_bytes: int = 10_000) -> list[Any]:
    """What the events are that come when the stream is cut at these places."""
    events = EventStream(max_bytes)
    places = [0, *sorted(cuts), len(stream)]
    pieces = [stream[start:end] for start, end in pairwise(places)]
    return [
        json.loads(bytes(raw)) for piece in pieces for load in events.feed(piece) for raw in elements_of(load, SOURCE)
    ]


def event(number: int = 1) -> dict[str, Any]:
    return {"event_type": "appearance", "event_id": f"event-{number}", "camera_description": "Größe 入口"}


def text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


A, B = text(event(1)), text(event(2))

FORMS = {
    "with a blank behind the colon": f"data: {A}\n\ndata: {B}\n\n",
    "without a blank behind the colon": f"data:{A}\n\ndata:{B}\n\n",
    "without a blank line between": f"data: {A}\ndata: {B}\n",
    "with carriage returns": f"data: {A}\r\n\r\ndata: {B}\r\n\r\n",
    "with carriage returns alone": f"data: {A}\r\rdata: {B}\r\r",
    "with fields, comments and unknown lines": (
        f": ping\n\nevent: appearance\nid: 7\ndata: {A}\nretry: 10\n\n: ping\nhello\n\ndata: {B}\n\n"
    ),
    "behind a byte order mark": f"\ufeffdata: {A}\n\ndata: {B}\n\n",
    "with words between": f"data: connected\n\ndata: {A}\n\ndata: ping\ndata: {B}\n\ndata:\n\ndata\n\ndata: 7\n\n",
    "over several lines": "".join(
        "".join(f"data: {line}\n" for line in json.dumps(each, indent=1, ensure_ascii=False).split("\n")) + "\n"
        for each in (event(1), event(2))
    ),
    "in an array": f"data: [{A}, {B}]\n\n",
    "as text within JSON": f"data: {text(A)}\n\ndata: {text(B)}\n\n",
    "as an array of texts": f"data: {text([A, B])}\n\n",
    "in an envelope": f"data: {text({'event': 'message', 'id': 1, 'data': event(1)})}\n\ndata: {B}\n\n",
    "as text in an envelope": f"data: {text({'event': 'message', 'id': 1, 'data': A})}\n\ndata: {B}\n\n",
    "behind a torn one": f'data: {{"event_type": "appe\ndata: {A}\ndata: {B}\n\n',
}


@pytest.mark.parametrize("stream", FORMS.values(), ids=FORMS.keys())
class TestForms:
    def test_every_form_gives_its_events(self, stream: str) -> None:
        assert read(stream.encode()) == [event(1), event(2)]

    def test_cut_anywhere_it_gives_the_same(self, stream: str) -> None:
        data = stream.encode()
        for cut in range(len(data)):
            assert read(data, cut) == [event(1), event(2)], cut
        assert read(data, *range(len(data))) == [event(1), event(2)]


@given(st.data())
def test_events_do_not_depend_on_the_chunks(data: st.DataObject) -> None:
    numbers = data.draw(st.lists(st.integers(0, 9), max_size=5))
    stream = "".join(f"data: {text(event(number))}\n\n" for number in numbers).encode()
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=10))
    assert read(stream, *cuts) == [event(number) for number in numbers]


def test_an_event_without_a_blank_line_is_not_kept_waiting_for_the_next() -> None:
    events = EventStream()
    assert events.feed(f"data: {A}\n".encode()) == [A.encode()]
    assert events.feed(b"\n") == []


def test_half_an_event_is_none() -> None:
    assert EventStream().feed(f"data: {A[:-1]}".encode()) == []


class TestTooLong:
    @pytest.mark.parametrize("cuts", [(), (500,), tuple(range(0, 3_000, 100))])
    def test_an_event_that_is_too_long_costs_no_other(self, cuts: tuple[int, ...]) -> None:
        stream = f"data: {A}\n\ndata: {text(['x' * 2_000])}\n\ndata: {B}\n\n".encode()
        assert read(stream, *cuts, max_bytes=1_000) == [event(1), event(2)]

    def test_its_beginning_is_kept(self) -> None:
        events = EventStream(max_bytes=10)
        assert events.feed(b'data: {"event_type": "appearance"') == []
        assert events.overlong == [b' {"event_t']
        events.feed(b"x" * 1_000)
        assert len(events.overlong) == 1

    def test_many_lines_are_bounded_like_one(self) -> None:
        events = EventStream(max_bytes=1_000)
        for _ in range(1_000):
            events.feed(b"data: {\n")
        assert sum(map(len, events.overlong)) <= 8 * 1_000

    def test_a_comment_that_is_too_long_is_nothing(self) -> None:
        events = EventStream(max_bytes=10)
        events.feed(b": " + b"x" * 1_000)
        assert events.overlong == []


def test_what_is_no_json_is_refused_alone() -> None:
    stream = b'data: {"event_type": oops}\n\n' + f"data: {json.dumps(appearance_event())}\n\n".encode()
    events = EventStream()
    elements = [raw for load in events.feed(stream) for raw in elements_of(load, SOURCE)]
    taken = take(elements, SOURCE, RowRules(NOON))
    assert [fact.appearance_key for fact in taken.appearances] == ["track-1"]
    assert [refused.reason_code for refused in taken.refused] == ["bad_json"]


def test_a_status_event_is_a_sign_of_life() -> None:
    assert take(elements_of(json.dumps(STATUS_EVENT).encode(), SOURCE), SOURCE, RowRules(NOON)).signs_of_life == 1
