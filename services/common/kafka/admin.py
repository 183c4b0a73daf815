"""The topic job: ``python -m services.common.kafka.admin`` makes Kafka's topics what the topic table says.

It creates what is missing and never alters what exists: where an existing topic differs it lists the differences and
fails, because a changed partition count moves keys and a changed retention deletes data.
"""

import asyncio
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from services.common.logging import configure_logging, get_logger
from services.common.settings import CommonSettings
from services.common.topics import PARTITIONS, TOPICS

log = get_logger(__name__)

VISIBLE_SECONDS = 30.0


class Wanted(Protocol):
    """What the job reads of a topic; `TopicSpec` is one."""

    @property
    def topic(self) -> str: ...

    @property
    def config(self) -> Mapping[str, str]: ...


@dataclass(frozen=True, slots=True)
class FoundTopic:
    """A topic as the broker has it, with every configuration value that is in force."""

    partitions: int
    config: Mapping[str, str]


class TopicDriftError(Exception):
    """Existing topics differ from the table; the message lists how, one difference a line."""


def differences(wanted: Wanted, found: FoundTopic, partitions: int) -> list[str]:
    """How the topic on the broker departs from the table; empty when it does not."""
    pairs = {"partitions": (str(partitions), str(found.partitions))}
    pairs |= {name: (value, found.config.get(name, "unset")) for name, value in wanted.config.items()}
    return [
        f"{wanted.topic}: {name} is {is_now}, must be {must_be}"
        for name, (must_be, is_now) in pairs.items()
        if must_be != is_now
    ]


async def ensure_topics(
    bootstrap: str, topics: Iterable[Wanted], *, partitions: int = PARTITIONS, replication: int = 1
) -> list[str]:
    """Create the topics that are missing and return their names; raise `TopicDriftError` when an existing one differs.

    Returns once every topic has a leader for each partition, so whoever starts next can write at once.
    """
    table = {str(spec.topic): spec for spec in topics}
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, client_id="dwell-topics")
    try:
        await admin.start()
        missing = sorted(table.keys() - set(await admin.list_topics()))
        await _create(admin, [table[name] for name in missing], partitions, replication)
        async with asyncio.timeout(VISIBLE_SECONDS):
            found = await _describe(admin, table)
        drift = [line for name, spec in table.items() for line in differences(spec, found[name], partitions)]
        if drift:
            raise TopicDriftError("\n".join(drift))
        return missing
    finally:
        await admin.close()


async def _create(admin: AIOKafkaAdminClient, specs: list[Wanted], partitions: int, replication: int) -> None:
    if not specs:
        return
    response = await admin.create_topics(
        [NewTopic(str(spec.topic), partitions, replication, topic_configs=dict(spec.config)) for spec in specs]
    )
    for name, code, *message in response.topic_errors:
        error = for_code(code)
        # Another run of the job may have been quicker.
        if code and error is not TopicAlreadyExistsError:
            raise error(f"{name}: {message}")


async def _describe(admin: AIOKafkaAdminClient, names: Iterable[str]) -> dict[str, FoundTopic]:
    wanted = list(names)
    while True:
        topics = await admin.describe_topics(wanted)
        counts = {
            topic["topic"]: len(topic["partitions"])
            for topic in topics
            if topic["error_code"] == 0 and all(partition["error_code"] == 0 for partition in topic["partitions"])
        }
        if counts.keys() >= set(wanted):
            break
        await asyncio.sleep(0.1)
    responses = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name) for name in wanted])
    return {
        name: FoundTopic(counts[name], {entry[0]: entry[1] for entry in entries})
        for response in responses
        for _code, _message, _kind, name, entries in response.resources
    }


def main() -> None:
    settings = CommonSettings()
    configure_logging("topics", settings.log_level)
    try:
        created = asyncio.run(ensure_topics(settings.kafka_bootstrap, TOPICS, replication=settings.kafka_replication))
    except TopicDriftError as error:
        log.critical("topics differ from the topic table", differences=str(error).splitlines())
        sys.exit(1)
    except (KafkaError, TimeoutError) as error:
        log.critical("topics could not be made", reason=str(error) or type(error).__name__)
        sys.exit(1)
    log.info("topics are as the topic table says", created=created)


if __name__ == "__main__":
    main()
