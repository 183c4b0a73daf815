"""The services as programs."""

from deploy.local.programs import Program, python
from deploy.local.settings import LocalSettings

SIMULATOR_LOGIN = ("dwell", "simulated")

CELERY = (
    "--app=services.gateway.uploads.tasks",
    "worker",
    "--concurrency=1",
    "--loglevel=INFO",
    # There is one worker: nobody to gossip with.
    "--without-gossip",
    "--without-mingle",
)


NICENESS = {"processor": 8, "insights": 8, "sink": 8, "worker": 15}
"""Where time is short, requests and what they ask of the servers go before the streams, and files come last.

The shares of the services in ``docker-compose.yml`` have the same weights.
"""


def service_programs(settings: LocalSettings) -> list[Program]:
    """The six services and the Celery worker; they start together and wait for nothing but the servers."""

    def service(name: str, port: int, **environment: str) -> Program:
        ready = f"http://127.0.0.1:{port}/readyz"
        return Program(name, _in_its_turn(name, f"services.{name}"), environment=environment, ready_url=ready)

    return [
        service("gateway", settings.gateway_port),
        Program("worker", _in_its_turn("worker", "celery", *CELERY), stop_seconds=20),
        service("ingest", settings.ingest_port, **_connection(settings)),
        # A fixed identity in the consumer group: a restarted process takes its partitions back without a rebalance.
        service("processor", settings.processor_port, DWELL_INSTANCE_ID="processor-1"),
        service("insights", settings.insights_port, DWELL_INSTANCE_ID="insights-1"),
        service("sink", settings.sink_port),
        service("notifier", settings.notifier_port),
    ]


def feed_program(settings: LocalSettings) -> Program:
    """The simulated Corsight. It also calls the webhook, for a connector that was started without its address."""
    username, password = SIMULATOR_LOGIN
    command = python(
        *("-m", "services.ingest.simulator", "--port", str(settings.simulator_port)),
        *("--username", username, "--password", password),
        *("--webhook", f"http://127.0.0.1:{settings.ingest_port}/webhooks/corsight"),
    )
    return Program("simulator", command, ready_url=f"{settings.simulator_address}/healthz")


def _in_its_turn(name: str, module: str, *arguments: str) -> tuple[str, ...]:
    niceness = ("nice", "-n", str(NICENESS[name])) if name in NICENESS else ()
    return (*niceness, *python("-m", module, *arguments))


def _connection(settings: LocalSettings) -> dict[str, str]:
    """The connector's way to the simulated Corsight, unless it is told of a real one."""
    if not settings.simulator or settings.corsight_url:
        return {}
    username, password = SIMULATOR_LOGIN
    return {
        "DWELL_CORSIGHT_SOURCES": "sse,history,webhook",
        "DWELL_CORSIGHT_URL": settings.simulator_address,
        "DWELL_CORSIGHT_USERNAME": username,
        "DWELL_CORSIGHT_PASSWORD": password,
    }
