"""What the local commands read from the environment, beyond what every service reads."""

import json
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator

from deploy.local.layout import ROOT
from deploy.local.ports import free_ports, is_free
from deploy.local.servers.kafka import controller_port
from services.common.settings import CommonSettings


class LocalSettings(CommonSettings):
    """A relative home lies in the repository, wherever the command was given."""

    home: Annotated[Path, AfterValidator(lambda path: ROOT / path.expanduser())] = Path(".dwell")
    admin_email: str = "admin@example.com"
    admin_password: str = "dwell-demo"  # noqa: S105 - for the loopback stack; any other deployment sets its own
    simulator: bool = False
    simulator_port: int = 8010
    corsight_url: str = ""

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.gateway_port}"

    @property
    def simulator_address(self) -> str:
        return f"http://127.0.0.1:{self.simulator_port}"

    def with_simulator(self) -> Self:
        """Corsight is simulated too; where its usual port is taken, on a free one."""
        port = self.simulator_port
        if "simulator_port" not in self.model_fields_set and not is_free(port):
            [port] = free_ports(1)
        return self.model_copy(update={"simulator": True, "simulator_port": port})

    def ports(self) -> list[tuple[int, str]]:
        """Every port that the stack itself listens on, with the setting that moves it."""
        taken = [
            (self.gateway_port, "DWELL_GATEWAY_PORT"),
            (self.notifier_port, "DWELL_NOTIFIER_PORT"),
            (self.ingest_port, "DWELL_INGEST_PORT"),
            (self.processor_port, "DWELL_PROCESSOR_PORT"),
            (self.insights_port, "DWELL_INSIGHTS_PORT"),
            (self.sink_port, "DWELL_SINK_PORT"),
        ]
        if self.simulator:
            taken.append((self.simulator_port, "DWELL_SIMULATOR_PORT"))
        if not self.kafka:
            taken.append((self.kafka_port, "DWELL_KAFKA_PORT"))
            taken.append((controller_port(self.kafka_port), "DWELL_KAFKA_PORT (its controller takes the next port)"))
        if not self.postgres:
            taken.append((self.postgres_port, "DWELL_POSTGRES_PORT"))
        if not self.redis:
            taken.append((self.redis_port, "DWELL_REDIS_PORT"))
        return taken

    def environment(self) -> dict[str, str]:
        """What was set or is the local stack's own default, as the services read it."""
        given = self.model_dump(mode="json", include=self.model_fields_set | {"home", "admin_email", "admin_password"})
        return {
            f"DWELL_{name.upper()}": value if isinstance(value, str) else json.dumps(value)
            for name, value in given.items()
        }
