"""The topic table against a live broker, and what a published record looks like there."""

import os
import subprocess
import sys
from datetime import datetime

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from services.common.kafka.envelopes import decode
from services.common.kafka.headers import continue_trace, new_traceparent, traceparent
from services.common.kafka.producer import EventProducer
from services.common.kafka.quarantine import refuse
from services.common.topics import PARTITIONS, TOPICS, Topic
from tests.support.kafka import make_topics_empty, read_all
from tests.support.servers import Servers
from tests.support.waiting import wait_until


def run_topic_job(servers: Servers) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "services.common.kafka.admin"],
        env={**os.environ, "DWELL_KAFKA": servers.kafka},
        capture_output=True,
        text=True,
        check=False,
    )


async def test_after_the_topic_job_the_broker_is_what_the_table_says(servers: Servers, topics: None) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=servers.kafka)
    await admin.start()
    try:
        names = [str(spec.topic) for spec in TOPICS]
        partitions = {topic["topic"]: len(topic["partitions"]) for topic in await admin.describe_topics(names)}
        responses = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name) for name in names])
    finally:
        await admin.close()
    assert partitions == dict.fromkeys(names, PARTITIONS)
    live = {
        resource[3]: {entry[0]: entry[1] for entry in resource[4]}
        for response in responses
        for resource in response.resources
    }
    for spec in TOPICS:
        assert {name: live[spec.topic][name] for name in spec.config} == spec.config


async def test_the_topic_job_may_run_again_and_fails_when_a_topic_drifted(servers: Servers, topics: None) -> None:
    assert run_topic_job(servers).returncode == 0
    admin = AIOKafkaAdminClient(bootstrap_servers=servers.kafka)
    await admin.start()
    try:
        drifted = ConfigResource(ConfigResourceType.TOPIC, Topic.ALERTS, {"retention.ms": "1000"})
        await admin.alter_configs([drifted])
    finally:
        await admin.close()

    async def fails() -> str:
        job = run_topic_job(servers)
        return job.stdout if job.returncode == 1 else ""

    # The controller acknowledges a change of configuration before the broker shows it.
    output = await wait_until(fails)
    await make_topics_empty(servers.kafka)
    assert "alerts.v1: retention.ms is 1000" in output


async def test_a_published_record_carries_its_key_its_envelope_and_cloudevents_headers(
    servers: Servers, topics: None
) -> None:
    trace = new_traceparent()
    continue_trace([("traceparent", trace.encode())])
    refused = refuse("upload:1#1", "bad_timestamp", "why", b"row", "c1")
    async with EventProducer(servers.kafka, "tests") as producer:
        await producer.publish(Topic.QUARANTINE, [refused], "upload:1")
    traceparent.set(None)

    [record] = await read_all(servers.kafka, Topic.QUARANTINE)
    assert record.key == b"c1"
    assert decode(Topic.QUARANTINE, record.value).items == [refused]
    headers = dict(record.headers)
    assert headers["ce_source"] == b"upload:1"
    assert headers["ce_type"] == b"dwellstream.quarantine.v1"
    assert datetime.fromisoformat(headers["ce_time"].decode()).tzinfo
    assert headers["traceparent"].split(b"-")[1] == trace.encode().split(b"-")[1]


async def test_items_of_one_camera_keep_their_order(servers: Servers, topics: None) -> None:
    items = [refuse(f"upload:1#{n}", "bad_timestamp", "why", b"row", f"c{n % 3}") for n in range(1200)]
    async with EventProducer(servers.kafka, "tests") as producer:
        await producer.publish(Topic.QUARANTINE, items, "upload:1")
    records = await read_all(servers.kafka, Topic.QUARANTINE)
    for camera in ("c0", "c1", "c2"):
        found = [
            item
            for record in records
            if record.key == camera.encode()
            for item in decode(Topic.QUARANTINE, record.value).items
        ]
        assert found == [item for item in items if item.camera_id == camera]
