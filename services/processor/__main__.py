"""``python -m services.processor``: appearances in, sessions out."""

import argparse

from services.common.kafka.faust_app import run_faust
from services.common.logging import configure_logging, get_logger
from services.common.topics import Topic
from services.processor.app import create_app
from services.processor.settings import ProcessorSettings

log = get_logger(__name__)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m services.processor", description=__doc__)
    parser.add_argument("--check", action="store_true", help="build the settings and the app, then exit")
    arguments = parser.parse_args()
    settings = ProcessorSettings()
    configure_logging("processor", settings.log_level)
    app = create_app(settings)
    if arguments.check:
        return
    log.info("starting", settings=settings.shown())
    run_faust(app, settings, (Topic.APPEARANCES,), settings.processor_port, {})


if __name__ == "__main__":
    main()
