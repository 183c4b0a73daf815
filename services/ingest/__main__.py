"""``python -m services.ingest``: bring Corsight's events into Kafka."""

import argparse
import gc
from typing import Any

from services.common.logging import configure_logging, get_logger
from services.common.runner import run
from services.ingest.app import Ingest
from services.ingest.settings import IngestSettings

log = get_logger(__name__)

_SECRET = {
    "corsight_kafka_password",
    "corsight_password",
    "corsight_webhook_secret",
    "postgres",
    "postgres_dsn",
    "redis",
    "redis_url",
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m services.ingest", description=__doc__)
    parser.add_argument("--check", action="store_true", help="build the settings and the service, then exit")
    arguments = parser.parse_args()
    settings = IngestSettings()
    configure_logging("ingest", settings.log_level)
    ingest = Ingest(settings)
    if arguments.check:
        return
    # Of hundreds of objects an event next to none are in cycles.
    gc.set_threshold(100_000, 20, 20)
    log.info("starting", settings=logged(settings))
    run("ingest", ingest.run, ingest.serve)


def logged(settings: IngestSettings) -> dict[str, Any]:
    """All that is no secret."""
    return settings.model_dump(mode="json", exclude=_SECRET)


if __name__ == "__main__":
    main()
