"""``python -m services.ingest``: bring Corsight's events into Kafka."""

import argparse

from services.common.garbage import collect_seldom
from services.common.logging import configure_logging, get_logger
from services.common.runner import run
from services.ingest.app import Ingest
from services.ingest.settings import IngestSettings

log = get_logger(__name__)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m services.ingest", description=__doc__)
    parser.add_argument("--check", action="store_true", help="build the settings and the service, then exit")
    arguments = parser.parse_args()
    settings = IngestSettings()
    configure_logging("ingest", settings.log_level)
    ingest = Ingest(settings)
    if arguments.check:
        return
    collect_seldom()
    log.info("starting", settings=settings.shown())
    run("ingest", ingest.run, ingest.serve)


if __name__ == "__main__":
    main()
