"""State that could not be read and was given up: however often its successors crash, it is built anew whole."""

from collections.abc import Collection, Iterable
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest
from faust.types import TP

from services.common.kafka.state import StateTable
from services.common.topics import Topic

CHANGELOG = "dwell-processor-appearances.v3-changelog"
NUMBER = 3


class Changelog:
    """Of one partition, compacted; what is in it outlives the processes."""

    def __init__(self, values: dict[bytes, bytes]) -> None:
        self.values = values

    async def write(self, _: str, partition: int, values: Iterable[tuple[bytes, bytes | None]]) -> None:
        assert partition == NUMBER
        for key, value in values:
            if value is None:
                self.values.pop(key)
            else:
                self.values[key] = value


class Store(dict[bytes, bytes]):
    @property
    def _key_partition(self) -> dict[bytes, int]:
        return dict.fromkeys(self, NUMBER)


async def begin(changelog: Changelog) -> tuple[StateTable, list[set[int]]]:
    """A process that has recovered the state, and what it begins anew. The log does not go back to its beginning."""
    changes = TP(CHANGELOG, NUMBER)

    async def offsets(*_: TP) -> dict[TP, int]:
        return {changes: offset}

    async def highwaters(*_: TP) -> dict[TP, int]:
        return {changes: offset + 10}

    offset = 5
    consumer = SimpleNamespace(
        assignment=lambda: {changes, TP(Topic.APPEARANCES, NUMBER)}, earliest_offsets=offsets, highwaters=highwaters
    )
    made = SimpleNamespace(
        data=Store(changelog.values),
        on_recover=lambda _: None,
        changelog_topic=SimpleNamespace(get_topic_name=lambda: CHANGELOG),
    )
    app: Any = SimpleNamespace(consumer=consumer, Table=lambda *_, **__: made)
    table = StateTable(app, "appearances", version=3)
    producer: Any = changelog
    table.producer = producer
    anew: list[set[int]] = []

    async def placed(partitions: Collection[int]) -> set[int]:
        anew.append(set(partitions))
        return set(partitions)

    with patch.object(table.continuity, "begin", placed):
        await table._place()
    return table, anew


async def given_up() -> Changelog:
    changelog = Changelog({b"s0:cam": b"\xc1"})
    table, anew = await begin(changelog)
    assert anew == [set()]
    with patch("services.common.kafka.state.end_process", side_effect=SystemExit), pytest.raises(SystemExit):
        await table.give_up(NUMBER)
    return changelog


async def test_state_that_was_given_up_is_deleted_and_the_partition_begun_anew() -> None:
    changelog = await given_up()
    table, anew = await begin(changelog)
    assert (table.read(b"s0:cam"), anew, table.began_late) == (None, [{NUMBER}], {NUMBER})


async def test_so_it_is_again_after_a_crash_before_any_new_state_is_written() -> None:
    changelog = await given_up()
    await begin(changelog)
    table, anew = await begin(changelog)
    assert (anew, table.began_late) == ([{NUMBER}], {NUMBER})


async def test_once_there_is_new_state_it_stays() -> None:
    changelog = await given_up()
    table, _ = await begin(changelog)
    await table.write(NUMBER, [(b"s0:cam", b"new")])
    table, anew = await begin(changelog)
    assert (table.read(b"s0:cam"), anew) == (b"new", [set()])
    await table.write(NUMBER, [(b"s1:cam", b"more")])
    assert changelog.values == {b"s0:cam": b"new", b"s1:cam": b"more"}
