"""Files to upload, and what becomes of uploads without the services behind the gateway."""

from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import CommitFailedError, UnknownMemberIdError

from services.common.kafka.groups import INSIGHTS, PROCESSOR
from services.common.topics import Topic
from tests.support.gateway import Gateway
from tests.support.kafka import log_ends
from tests.support.waiting import wait_until

HEADER = "person_id,camera_id,appearance_id,utc_time_started_readable,utc_time_ended_readable,gender_outcome\n"

AT_REST = ("needs_decision", "completed", "failed", "cancelled", "withdrawn")


def rows(camera: str, count: int, start: int = 0) -> str:
    """Appearances of 10 s, one a minute, each of a person of his own."""
    lines = []
    for number in range(start, start + count):
        at = f"2026-03-10 {number // 60 % 24:02}:{number % 60:02}"
        lines.append(f"p{number},{camera},{camera}-{number},{at}:00,{at}:10,male\n")
    return "".join(lines)


def bad_rows(camera: str, count: int) -> str:
    """Rows without a person."""
    return f",{camera},,2026-03-10 10:00,2026-03-10 10:01,\n" * count


def items_of(items: list[object], camera: str) -> list[Any]:
    return [item for item in items if getattr(item, "camera_id", None) == camera]


async def finished(gateway: Gateway, upload_id: str) -> Any:
    """The upload once nobody works on it any more."""

    async def is_finished() -> Any:
        upload = await gateway.get(f"uploads/{upload_id}")
        return upload if upload["status"] in AT_REST else None

    return await wait_until(is_finished, timeout=60)


async def pretend_that_all_is_read(gateway: Gateway) -> None:
    """Commit for processor, insights and sink what they would once they had read all there is."""
    bootstrap = gateway.settings.kafka_bootstrap
    ends = {topic: await log_ends(bootstrap, topic) for topic in Topic}
    for group, topics in ((PROCESSOR, [Topic.APPEARANCES]), (INSIGHTS, [Topic.INSIGHTS, Topic.SESSIONS])):
        places = {TopicPartition(topic, number): offset for topic in topics for number, offset in ends[topic].items()}
        if places:
            await _commit(bootstrap, group, places)
    await gateway.database.executemany(
        """
        INSERT INTO sink_offsets VALUES ($1, $2, $3)
        ON CONFLICT (topic, partition) DO UPDATE SET next_offset = EXCLUDED.next_offset
        """,
        [(topic, number, offset) for topic, found in ends.items() for number, offset in found.items()],
    )
    gateway.app.state.resources.settler.wake()


async def _commit(bootstrap: str, group: str, places: dict[TopicPartition, int]) -> None:
    """Once the group has no members: a process that was killed in an earlier test stays one until its session ends."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=group, enable_auto_commit=False)
    await consumer.start()
    consumer.assign(list(places))

    async def is_committed() -> bool:
        try:
            await consumer.commit(places)
        except (CommitFailedError, UnknownMemberIdError):
            return False
        return True

    try:
        await wait_until(is_committed, timeout=120)
    finally:
        await consumer.stop()
