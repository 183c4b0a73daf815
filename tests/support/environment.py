"""The environment of a stack of services of a test's own."""

from pathlib import Path

from deploy.local.ports import free_ports
from tests.support.servers import Servers

ADMIN_EMAIL = "admin@example.com"
ADMIN_PASSWORD = "dwell-demo"

SERVICES = ("gateway", "notifier", "ingest", "processor", "insights", "sink")


def environment(servers: Servers, database: str, home: Path) -> dict[str, str]:
    ports = free_ports(len(SERVICES))
    return {
        "DWELL_KAFKA": servers.kafka,
        "DWELL_POSTGRES": database,
        "DWELL_REDIS": servers.redis,
        "DWELL_HOME": str(home),
        "DWELL_ADMIN_EMAIL": ADMIN_EMAIL,
        "DWELL_ADMIN_PASSWORD": ADMIN_PASSWORD,
        **{f"DWELL_{name.upper()}_PORT": str(port) for name, port in zip(SERVICES, ports, strict=True)},
    }
