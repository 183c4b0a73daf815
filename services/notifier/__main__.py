"""``python -m services.notifier``: push alerts to connected clients."""

import argparse

from services.common.logging import configure_logging, get_logger
from services.common.runner import run
from services.notifier.app import Notifier
from services.notifier.settings import NotifierSettings

log = get_logger(__name__)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m services.notifier", description=__doc__)
    parser.add_argument("--check", action="store_true", help="build the settings and the service, then exit")
    arguments = parser.parse_args()
    settings = NotifierSettings()
    configure_logging("notifier", settings.log_level)
    notifier = Notifier(settings)
    if arguments.check:
        return
    log.info("starting", settings=settings.shown())
    run("notifier", notifier.consume, notifier.beat, notifier.serve)


if __name__ == "__main__":
    main()
