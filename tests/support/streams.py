"""What a reader of the output topics has in the end, and when that end has come."""

from collections.abc import Callable
from typing import Any

from aiokafka.errors import KafkaError

from services.common.kafka.lag import LagProbe
from services.common.topics import Topic
from tests.support.kafka import read_items
from tests.support.waiting import wait_until

DRAIN_SECONDS = 90.0


async def drained(bootstrap: str, group: str, *topics: Topic) -> None:
    """Return when the group has committed everything that the topics hold."""
    async with LagProbe(bootstrap, group, topics, limit=0) as probe:

        async def nothing_left() -> bool:
            try:
                return (await probe.check()).ok
            except KafkaError:
                # No such group yet, or no coordinator for it.
                return False

        await wait_until(nothing_left, DRAIN_SECONDS)


async def latest(bootstrap: str, topic: Topic, key: Callable[[Any], Any]) -> list[Any]:
    """Of every key the item with the greatest revision."""
    kept: dict[Any, Any] = {}
    for item in await read_items(bootstrap, topic):
        known = kept.get(key(item))
        if known is None or revision_of(item) > revision_of(known):
            kept[key(item)] = item
    return list(kept.values())


def revision_of(item: Any) -> int:
    revision: int = item.revision
    return revision
