"""The servers as containers of the official images."""

from collections.abc import Iterator
from contextlib import contextmanager

import docker
from docker.errors import DockerException
from testcontainers.community.postgres import PostgresContainer
from testcontainers.community.redis import RedisContainer
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer
from testcontainers.core.wait_strategies import LogMessageWaitStrategy

from deploy.local.ports import free_ports

KAFKA_IMAGE = "apache/kafka:4.3.0"
POSTGRES_IMAGE = "postgres:15"
REDIS_IMAGE = "redis:7"


def can_be_had() -> bool:
    """Whether a Docker Engine answers and has the images, or can fetch them."""
    try:
        client = docker.from_env()
        client.ping()
        held = {tag for image in client.images.list() for tag in image.tags}
        for image in {KAFKA_IMAGE, POSTGRES_IMAGE, REDIS_IMAGE, *_reaper()} - held:
            client.images.pull(image)
    except DockerException:
        return False
    return True


def _reaper() -> tuple[str, ...]:
    """What testcontainers itself starts, to remove the others should the test run be killed."""
    return () if testcontainers_config.ryuk_disabled else (testcontainers_config.ryuk_image,)


@contextmanager
def kafka() -> Iterator[str]:
    # The broker tells clients its own address, so the port on the host is chosen before it starts.
    [port] = free_ports(1)
    container = DockerContainer(KAFKA_IMAGE).with_bind_ports(9092, port)
    address = f"{container.get_docker_client().host()}:{port}"
    container.with_envs(
        KAFKA_NODE_ID="1",
        KAFKA_PROCESS_ROLES="broker,controller",
        KAFKA_CONTROLLER_LISTENER_NAMES="CONTROLLER",
        KAFKA_CONTROLLER_QUORUM_VOTERS="1@localhost:9093",
        KAFKA_LISTENERS="PLAINTEXT://:9092,CONTROLLER://:9093",
        KAFKA_ADVERTISED_LISTENERS=f"PLAINTEXT://{address}",
        KAFKA_LISTENER_SECURITY_PROTOCOL_MAP="PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        KAFKA_AUTO_CREATE_TOPICS_ENABLE="false",
        KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR="1",
        KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR="1",
        KAFKA_TRANSACTION_STATE_LOG_MIN_ISR="1",
        KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS="0",
        KAFKA_MESSAGE_MAX_BYTES=str(5 * 1024 * 1024),
    )
    with container.waiting_for(LogMessageWaitStrategy("Kafka Server started")):
        yield address


@contextmanager
def postgres() -> Iterator[str]:
    with PostgresContainer(POSTGRES_IMAGE, driver=None) as container:
        yield container.get_connection_url()


@contextmanager
def redis() -> Iterator[str]:
    with RedisContainer(REDIS_IMAGE) as container:
        yield f"redis://{container.get_container_host_ip()}:{container.get_exposed_port(6379)}/0"
