"""Faust applications as this system uses them: raw bytes, one agent a topic, in-order acks, no Faust windows."""

import asyncio
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NoReturn

import faust
import uvloop
from aiokafka.errors import KafkaError

from services.common.garbage import collect_seldom
from services.common.health import Check
from services.common.kafka.admin import TopicDriftError, ensure_topics
from services.common.kafka.transport import quick_transport
from services.common.kafka.witness import Witness
from services.common.logging import get_logger, logging_config
from services.common.patience import patiently
from services.common.settings import CommonSettings
from services.common.topics import PARTITIONS, Topic

log = get_logger(__name__)

SESSION_SECONDS = 20
HEARTBEAT_SECONDS = 3
RETRY_SECONDS = 1.0


def create_faust_app(app_id: str, settings: CommonSettings) -> faust.App:
    """An app whose tables live in memory and in their changelog, and whose values are bytes decoded by the agent."""
    broker = f"kafka://{settings.kafka_bootstrap}"
    app = faust.App(
        app_id,
        broker=broker,
        store="memory://",
        datadir=settings.home / app_id,
        key_serializer="raw",
        value_serializer="raw",
        topic_partitions=PARTITIONS,
        topic_replication_factor=settings.kafka_replication,
        topic_allow_declare=True,
        table_standby_replicas=0,
        broker_commit_interval=1.0,
        # The defaults keep a hung worker's partitions for 17 minutes and a dead one's for one.
        broker_max_poll_interval=120.0,
        broker_session_timeout=SESSION_SECONDS,
        broker_heartbeat_interval=HEARTBEAT_SECONDS,
        # One process an app instance id: a fast restart takes its partitions back without a rebalance.
        consumer_group_instance_id=os.environ.get("DWELL_INSTANCE_ID"),
        consumer_auto_offset_reset="earliest",
        stream_wait_empty=True,
        # Events, of up to 1 MB: the default of 4096 would take all memory on a backlog of bulk envelopes.
        stream_buffer_maxsize=128,
        # A fetch begun before a rebalance may last a second, and must not take records that recovery has yet to read.
        stream_recovery_delay=1.1,
        producer_linger=0,
        producer_compression_type="zstd",
        producer_max_request_size=4 * 1024 * 1024,
        web_enabled=False,
        logging_config=logging_config(settings.log_level),
        worker_redirect_stdouts=False,
    )
    app.transport = quick_transport(app, broker)
    return app


def run_faust(
    app: faust.App, settings: CommonSettings, topics: tuple[Topic, ...], port: int, checks: Mapping[str, Check]
) -> NoReturn:
    """Run the app's worker with health endpoints on `port`, to the end of the process."""

    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    collect_seldom()
    Witness(app, settings, topics, checks).start(port)
    _make_changelogs(app, settings)
    settings.home.mkdir(parents=True, exist_ok=True)
    worker = faust.Worker(app, loglevel=settings.log_level)
    # It writes terminal codes into the log.
    worker.spinner = None
    worker.execute_from_commandline()
    sys.exit(0)


@dataclass(frozen=True, slots=True)
class _Changelog:
    """Recovery reads all that compaction has left, and only closed segments are compacted: so they are small."""

    topic: str
    config: Mapping[str, str] = field(
        default_factory=lambda: {
            "cleanup.policy": "compact",
            "segment.bytes": str(64 * 1024 * 1024),
            "segment.ms": str(3_600_000),
            "min.cleanable.dirty.ratio": "0.2",
        }
    )


def _make_changelogs(app: faust.App, settings: CommonSettings) -> None:
    """Have the tables' changelogs on the broker before the app asks for its partitions.

    Faust makes them too, but joins its group at once. A changelog that the broker's metadata does not show yet is left
    out of the assignment, and a static member gets the same assignment again whenever it restarts: without state.
    """
    changelogs = [_Changelog(table.changelog_topic_name) for table in app.tables.values()]

    async def make() -> list[str]:
        return await ensure_topics(settings.kafka_bootstrap, changelogs, replication=settings.kafka_replication)

    loop = asyncio.new_event_loop()
    try:
        made = loop.run_until_complete(patiently("kafka", make, (KafkaError, TimeoutError), RETRY_SECONDS))
    except TopicDriftError as error:
        log.critical("changelogs are not what they must be", differences=str(error).splitlines())
        sys.exit(1)
    finally:
        loop.close()
    log.info("changelogs are there", created=made)
