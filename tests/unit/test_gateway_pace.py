"""How far a large file runs ahead of those who read it."""

import asyncio

import pytest

from services.common.kafka.groups import INSIGHTS, PROCESSOR, SINK
from services.common.topics import Topic
from services.gateway.uploads import pace
from services.gateway.uploads.job import Published
from services.gateway.uploads.pace import MAX_LOOKS, PARTS_AHEAD, Pace
from services.gateway.uploads.settling import View

PARTITION = 3


class Readers:
    """One part is one record; the readers pass one more each time that somebody looks, until they stand still."""

    def __init__(self, stand_still_at: int = 1_000) -> None:
        self.place = 0
        self.looks = 0
        self._stand_still_at = stand_still_at

    async def look(self) -> View:
        self.looks += 1
        self.place = min(self.place + 1, self._stand_still_at)
        places = {(Topic.APPEARANCES, PARTITION): self.place}
        return View({PROCESSOR: places, SINK: places, INSIGHTS: {}}, {(Topic.APPEARANCES, PARTITION): 1_000})


@pytest.fixture(autouse=True)
def without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "LOOK_SECONDS", 0)


def part(number: int) -> Published:
    return {Topic.APPEARANCES: {PARTITION: number}}


def test_the_first_parts_follow_each_other_without_a_look() -> None:
    readers = Readers()

    async def publish() -> None:
        kept = Pace(readers.look)
        for number in range(1, PARTS_AHEAD + 1):
            await kept.keep(part(number))

    asyncio.run(publish())
    assert readers.looks == 0


def test_no_part_follows_before_the_readers_have_passed_the_one_so_many_before() -> None:
    readers = Readers()
    ahead = []

    async def publish() -> None:
        kept = Pace(readers.look)
        for number in range(1, 20):
            await kept.keep(part(number))
            ahead.append(number - readers.place)

    asyncio.run(publish())
    assert max(ahead) == PARTS_AHEAD


def test_readers_that_stand_still_do_not_stop_a_file_for_ever() -> None:
    readers = Readers(stand_still_at=0)

    async def publish() -> None:
        kept = Pace(readers.look)
        for number in range(1, PARTS_AHEAD + 3):
            await kept.keep(part(number))

    asyncio.run(publish())
    assert readers.looks == 2 * MAX_LOOKS
