"""``python -m tests.benchmarks.plain_loop``: the processor's own merge in a bare aiokafka loop, as the limit.

Poll, merge, write the changed state to a changelog and the sessions to a topic, wait for Kafka, commit.
What it leaves out is what a processor is for: state recovery, rebalancing, refusals, health.
"""

import asyncio
import os
from datetime import timedelta
from functools import partial

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.structs import ConsumerRecord

from services.common.events.sessions import Session, revision_after
from services.common.kafka.envelopes import decode_bare, envelopes
from services.common.topics import Topic
from services.processor.domain.buckets import CameraState
from services.processor.domain.sessionizer import step
from tests.benchmarks.baseline import CHANGELOG, PLAIN_LOOP, SESSIONS

GAP = timedelta(seconds=60)

RECORDS_AT_ONCE = 60
"""What the processor's queues hold. More would coalesce more, in memory that grows with the backlog."""

State = dict[tuple[str, str], bytes]


async def main(bootstrap: str) -> None:
    state: State = {}
    consumer = AIOKafkaConsumer(
        Topic.APPEARANCES,
        bootstrap_servers=bootstrap,
        group_id=PLAIN_LOOP,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        max_partition_fetch_bytes=4 << 20,
        session_timeout_ms=45_000,
    )
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        acks="all",
        enable_idempotence=True,
        compression_type="zstd",
        max_batch_size=256 * 1024,
        max_request_size=4 << 20,
    )
    async with consumer, producer:
        while True:
            for place, records in (await consumer.getmany(timeout_ms=1000, max_records=RECORDS_AT_ONCE)).items():
                await _handle(place.partition, records, state, producer)
            await consumer.commit()


async def _handle(partition: int, records: list[ConsumerRecord], state: State, producer: AIOKafkaProducer) -> None:
    cameras: dict[str, CameraState] = {}
    sessions: dict[str, Session] = {}
    for record in records:
        reports = decode_bare(record.value).items
        camera_id = reports[0].camera_id
        if camera_id not in cameras:
            cameras[camera_id] = CameraState(partial(_read, state, camera_id))
        revision = revision_after(record.offset)
        changed = step(cameras[camera_id], reports, camera_id=camera_id, gap=GAP, revision=revision)
        sessions.update((session.session_id, session) for session in changed)
    send = partial(producer.send, partition=partition)
    sent = [
        await send(SESSIONS, value, key=key) for key, value in envelopes(Topic.SESSIONS, sessions.values(), PLAIN_LOOP)
    ]
    for camera_id, camera in cameras.items():
        for name, value in camera.writes():
            sent.append(await send(CHANGELOG, value, key=f"{name}:{camera_id}".encode()))
            state[camera_id, name] = value
    await asyncio.gather(*sent)


def _read(state: State, camera_id: str, name: str) -> bytes | None:
    return state.get((camera_id, name))


if __name__ == "__main__":
    asyncio.run(main(os.environ["DWELL_KAFKA"]))
