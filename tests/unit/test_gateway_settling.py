"""When an upload is settled: every reader has passed what followed from it, however the logs grow meanwhile."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from services.common.kafka.groups import INSIGHTS, PROCESSOR, SINK
from services.common.kafka.offsets import Places
from services.common.topics import PARTITIONS, Topic
from services.gateway.uploads.job import Published
from services.gateway.uploads.settling import MAX_ROUND_SECONDS, ROUND_SECONDS, STAGES, Awaited, Settler, View, advance

CAMERA = 3
"""The partition number of the camera that the upload tells of."""

PUBLISHED: Published = {Topic.APPEARANCES: {CAMERA: 10}, Topic.QUARANTINE: {5: 2}}


Logs = dict[Topic, tuple[int, dict[str, int]]]
"""Topic → (end of the log, group → where it goes on)."""


def view(topics: Logs, repairs: tuple[int | None, int | None] = (None, None)) -> View:
    """In the camera's partition; elsewhere nothing is."""
    logs = {topic for stage in STAGES for topic in stage}
    ends: Places = {(topic, number): 0 for topic in logs for number in range(PARTITIONS)}
    ends[Topic.QUARANTINE, 5] = 2
    readers: dict[str, Places] = {PROCESSOR: {}, INSIGHTS: {}, SINK: {(Topic.QUARANTINE, 5): 2}}
    for topic, (end, groups) in topics.items():
        ends[topic, CAMERA] = end
        for group, place in groups.items():
            readers[group][topic, CAMERA] = place
    return View(readers, ends, *repairs)


PASSED: Logs = {
    Topic.APPEARANCES: (12, {PROCESSOR: 10, SINK: 10}),
    Topic.SESSIONS: (7, {SINK: 7, INSIGHTS: 7}),
    Topic.OCCUPANCY: (4, {SINK: 4}),
}


def begun(looked: View) -> Awaited | None:
    return advance(Awaited(0, PUBLISHED), PUBLISHED, looked)


def test_what_everybody_has_passed_is_settled_at_once() -> None:
    assert begun(view(PASSED)) is None


@pytest.mark.parametrize(("place", "is_settled"), [(4, False), (5, True)])
def test_recorded_video_is_settled_once_it_is_stored(place: int, is_settled: bool) -> None:
    looked = view({Topic.APPEARANCES_FORENSIC: (5, {SINK: place})})
    published: Published = {Topic.APPEARANCES_FORENSIC: {CAMERA: 5}}
    assert (advance(Awaited(0, published), published, looked) is None) is is_settled


@pytest.mark.parametrize(
    ("topic", "log", "stage"),
    [
        (Topic.APPEARANCES, (12, {PROCESSOR: 9, SINK: 10}), 0),
        (Topic.APPEARANCES, (12, {PROCESSOR: 10, SINK: 9}), 0),
        (Topic.APPEARANCES, (12, {PROCESSOR: 10}), 0),
        (Topic.SESSIONS, (7, {SINK: 6, INSIGHTS: 7}), 1),
        (Topic.SESSIONS, (7, {SINK: 7, INSIGHTS: 6}), 2),
        (Topic.OCCUPANCY, (4, {SINK: 3}), 3),
        (Topic.ALERTS, (1, {}), 3),
    ],
)
def test_a_reader_that_is_behind_is_waited_for(topic: Topic, log: tuple[int, dict[str, int]], stage: int) -> None:
    awaited = begun(view({**PASSED, topic: log}))
    assert awaited is not None
    assert awaited.stage == stage


def test_what_others_write_later_is_not_waited_for() -> None:
    awaited = begun(view({**PASSED, Topic.SESSIONS: (7, {SINK: 7, INSIGHTS: 5})}))
    assert awaited is not None
    grown = view({**PASSED, Topic.SESSIONS: (900, {SINK: 7, INSIGHTS: 7})})
    assert advance(awaited, PUBLISHED, grown) is None


def test_other_partitions_are_not_waited_for() -> None:
    looked = view(PASSED)
    assert begun(replace(looked, ends={**looked.ends, (Topic.SESSIONS, CAMERA + 1): 50})) is None


def test_the_repairs_that_the_sink_has_found_are_told_first() -> None:
    awaited = begun(view(PASSED, repairs=(3, 8)))
    assert awaited == Awaited(1, {}, outbox=8)
    assert advance(awaited, PUBLISHED, view(PASSED, repairs=(8, 20))) == awaited
    told = view({**PASSED, Topic.SESSIONS: (9, {SINK: 7, INSIGHTS: 9})}, repairs=(9, 20))
    sinking = advance(awaited, PUBLISHED, told)
    assert sinking is not None
    assert (sinking.stage, sinking.places[Topic.SESSIONS]) == (2, {CAMERA: 9})


def test_a_log_that_was_made_anew_is_passed_at_its_end() -> None:
    assert begun(view({Topic.APPEARANCES: (4, {PROCESSOR: 4, SINK: 4})})) is None


def test_a_file_of_refusals_only_waits_for_the_quarantine_alone() -> None:
    refused: Published = {Topic.QUARANTINE: {5: 2}}
    assert advance(Awaited(0, refused), refused, view({})) is None
    behind = replace(view({}), readers={PROCESSOR: {}, INSIGHTS: {}, SINK: {}})
    assert advance(Awaited(0, refused), refused, behind) == Awaited(0, refused)


class Looks(Settler):
    """Finds one thing after the other and notes how long it rests in between; ends after the last."""

    def __init__(self, *found: Mapping[str, Awaited]) -> None:
        super().__init__(*[None] * 3)  # type: ignore[arg-type]
        self._found = iter(found)
        self.pauses: list[float] = []

    async def settle(self, _: Any) -> Mapping[str, Awaited]:
        return next(self._found)

    async def _rest(self, seconds: float) -> bool:
        self.pauses.append(seconds)
        return False


async def test_uploads_that_do_not_move_are_looked_at_less_and_less_often() -> None:
    stuck, moved = {"u": Awaited(0, PUBLISHED)}, {"u": Awaited(1, PUBLISHED)}
    looks = Looks(*[stuck] * 10, moved, moved)
    with pytest.raises(RuntimeError, match="StopIteration"):
        await looks._follow(None)  # type: ignore[arg-type]
    first, *growing, last = looks.pauses[:10]
    assert (first, last) == (ROUND_SECONDS, MAX_ROUND_SECONDS)
    assert growing == sorted(growing)
    assert looks.pauses[10:] == [ROUND_SECONDS, ROUND_SECONDS * 1.5]
