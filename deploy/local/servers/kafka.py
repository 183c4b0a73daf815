"""Apache Kafka in KRaft mode: one node, broker and controller in one process."""

import asyncio
import subprocess
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient

from deploy.local.errors import LocalError
from deploy.local.layout import JARS, LOG4J
from deploy.local.programs import Program

# A fixed id: formatting a log directory again under another one is refused, and each home has its own directory.
CLUSTER_ID = "ZHdlbGxzdHJlYW1sb2NhbA"

HEAP = "-Xmx384m"

CONFIG = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAINTEXT",
    "auto.create.topics.enable": "false",
    "default.replication.factor": "1",
    "offsets.topic.replication.factor": "1",
    # The default of 50 is for large clusters; each costs files and start-up time.
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "group.initial.rebalance.delay.ms": "0",
    # Above the producers' 4 MiB, so that a record they let through is never refused here.
    "message.max.bytes": str(5 * 1024 * 1024),
    "replica.fetch.max.bytes": str(5 * 1024 * 1024),
    # By default the cleaner alone would take a third of the heap.
    "log.cleaner.dedupe.buffer.size": str(16 * 1024 * 1024),
    "num.network.threads": "2",
    "num.io.threads": "4",
}


class Kafka:
    def __init__(self, home: Path, port: int) -> None:
        self.port = port
        self.controller_port = controller_port(port)
        self._directory = home / "kafka"
        self._config = self._directory / "server.properties"

    def render(self) -> str:
        """The broker's configuration, one ``name=value`` a line."""
        broker, controller = f"127.0.0.1:{self.port}", f"127.0.0.1:{self.controller_port}"
        config = CONFIG | {
            "listeners": f"PLAINTEXT://{broker},CONTROLLER://{controller}",
            "advertised.listeners": f"PLAINTEXT://{broker}",
            "controller.quorum.voters": f"1@{controller}",
            "log.dirs": _escaped(self._directory / "data"),
        }
        return "".join(f"{name}={value}\n" for name, value in sorted(config.items()))

    def prepare(self) -> None:
        self._directory.mkdir(parents=True, exist_ok=True)
        self._config.write_text(self.render(), encoding="utf-8")
        if (self._directory / "data/meta.properties").exists():
            return
        formatted = subprocess.run(
            self._java("kafka.tools.StorageTool", "format", "--cluster-id", CLUSTER_ID, "--config", str(self._config)),
            capture_output=True,
            text=True,
            check=False,
        )
        if formatted.returncode:
            raise LocalError(
                f"Kafka's storage could not be formatted: {(formatted.stderr or formatted.stdout).strip()}"
            )

    def program(self) -> Program:
        return Program("kafka", self._java("kafka.Kafka", str(self._config)), stop_seconds=20)

    async def answers(self) -> None:
        await kafka_answers(f"127.0.0.1:{self.port}")

    def _java(self, *arguments: str) -> tuple[str, ...]:
        options = (HEAP, "-XX:+UseG1GC", "-Djava.awt.headless=true", f"-Dlog4j2.configurationFile={LOG4J.as_uri()}")
        return ("java", *options, "-cp", f"{JARS}/*", *arguments)


def controller_port(port: int) -> int:
    return port + 1


async def kafka_answers(bootstrap: str) -> None:
    # A plain connection first: the client logs an error for each attempt before the broker listens.
    _, writer = await asyncio.open_connection(*_address(bootstrap))
    writer.close()
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, client_id="dwell-local", request_timeout_ms=5000)
    try:
        await admin.start()
        await admin.describe_cluster()
    finally:
        await admin.close()


def _address(bootstrap: str) -> tuple[str, int]:
    """Host and port of the first broker named."""
    host, _, port = bootstrap.partition(",")[0].rpartition(":")
    return host.strip("[]"), int(port)


def _escaped(path: Path) -> str:
    """A path as a Java property value, where the backslash escapes."""
    return str(path).replace("\\", "\\\\")
