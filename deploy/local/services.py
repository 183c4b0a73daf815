"""The services as programs."""

from deploy.local.ports import free_ports, is_free
from deploy.local.programs import Program, python
from deploy.local.settings import LocalSettings

CELERY = (
    "--app=services.gateway.uploads.tasks",
    "worker",
    "--concurrency=1",
    "--loglevel=INFO",
    # There is one worker: nobody to gossip with.
    "--without-gossip",
    "--without-mingle",
)


def service_programs(settings: LocalSettings) -> list[Program]:
    """The six services and the Celery worker; they start together and wait for nothing but the servers."""

    def service(name: str, port: int, **environment: str) -> Program:
        ready = f"http://127.0.0.1:{port}/readyz"
        return Program(name, python("-m", f"services.{name}"), environment=environment, ready_url=ready)

    return [
        service("gateway", settings.gateway_port),
        Program("worker", python("-m", "celery", *CELERY), stop_seconds=20),
        service("ingest", settings.ingest_port),
        # A fixed identity in the consumer group: a restarted process takes its partitions back without a rebalance.
        service("processor", settings.processor_port, DWELL_INSTANCE_ID="processor-1"),
        service("insights", settings.insights_port, DWELL_INSTANCE_ID="insights-1"),
        service("sink", settings.sink_port),
        service("notifier", settings.notifier_port),
    ]


def feed_program(settings: LocalSettings) -> Program:
    """The simulated Corsight."""
    port = settings.simulator_port
    if "simulator_port" not in settings.model_fields_set and not is_free(port):
        [port] = free_ports(1)
    webhook = f"http://127.0.0.1:{settings.ingest_port}/webhooks/corsight"
    command = python("-m", "services.ingest.simulator", "--port", str(port), "--webhook", webhook)
    return Program("simulator", command, ready_url=f"http://127.0.0.1:{port}/healthz")
