"""The environment of a stack of services of a test's own."""

from pathlib import Path

from deploy.local.ports import free_ports
from tests.support.servers import Servers

ADMIN_EMAIL = "admin@example.com"
ADMIN_PASSWORD = "dwell-demo"
WEBHOOK_HEADER = "X-Webhook-Secret"
WEBHOOK_SECRET = "tests-webhook-secret"

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
        "DWELL_CORSIGHT_WEBHOOK_SECRET": WEBHOOK_SECRET,
        # A killed worker's partitions go to the next one of this name at once.
        "DWELL_INSTANCE_ID": "tests",
        **{f"DWELL_{name.upper()}_PORT": str(port) for name, port in zip(SERVICES, ports, strict=True)},
    }
