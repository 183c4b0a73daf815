"""The topic job on a real broker: it creates what is missing, once, and alters nothing."""

import asyncio
from dataclasses import dataclass, field
from uuid import uuid4

import pytest

from services.common.kafka.admin import TopicDriftError, ensure_topics
from tests.support.servers import Servers


@dataclass(frozen=True)
class Wanted:
    topic: str
    config: dict[str, str] = field(default_factory=lambda: {"cleanup.policy": "compact"})


@pytest.fixture
def names() -> list[str]:
    prefix = uuid4().hex
    return [f"job.{prefix}.{number}" for number in range(3)]


async def test_the_second_run_finds_everything_in_place(servers: Servers, names: list[str]) -> None:
    table = [Wanted(name) for name in names]
    assert await ensure_topics(servers.kafka, table, partitions=3) == names
    assert await ensure_topics(servers.kafka, table, partitions=3) == []


async def test_a_topic_that_is_added_to_the_table_is_created_beside_the_others(
    servers: Servers, names: list[str]
) -> None:
    await ensure_topics(servers.kafka, [Wanted(names[0])], partitions=3)
    assert await ensure_topics(servers.kafka, [Wanted(name) for name in names], partitions=3) == names[1:]


async def test_two_runs_at_once_both_succeed(servers: Servers, names: list[str]) -> None:
    table = [Wanted(name) for name in names]
    await asyncio.gather(*(ensure_topics(servers.kafka, table, partitions=3) for _ in range(2)))


async def test_every_difference_of_an_existing_topic_is_listed_and_none_is_mended(
    servers: Servers, names: list[str]
) -> None:
    await ensure_topics(servers.kafka, [Wanted(names[0])], partitions=3)
    changed = [Wanted(names[0], {"cleanup.policy": "delete", "retention.ms": "1000"})]
    for _ in range(2):
        with pytest.raises(TopicDriftError) as drift:
            await ensure_topics(servers.kafka, changed, partitions=6)
        assert str(drift.value).splitlines() == [
            f"{names[0]}: partitions is 3, must be 6",
            f"{names[0]}: cleanup.policy is compact, must be delete",
            f"{names[0]}: retention.ms is 604800000, must be 1000",
        ]
