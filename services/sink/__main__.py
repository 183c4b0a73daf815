"""``python -m services.sink``: write Kafka's facts to PostgreSQL; ``migrate``: bring the tables up to date."""

import argparse
import asyncio
import sys

import asyncpg

from services.common.garbage import collect_seldom
from services.common.logging import configure_logging, get_logger
from services.common.runner import run
from services.sink.app import Sink
from services.sink.migrate import MigrationError, migrate
from services.sink.settings import SinkSettings

log = get_logger(__name__)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m services.sink", description=__doc__)
    parser.add_argument("command", nargs="?", choices=("run", "migrate"), default="run")
    parser.add_argument("--check", action="store_true", help="build the settings and the service, then exit")
    arguments = parser.parse_args()
    settings = SinkSettings()
    configure_logging("sink", settings.log_level)
    sink = Sink(settings)
    if arguments.check:
        return
    log.info("starting", command=arguments.command, settings=settings.shown())
    if arguments.command == "migrate":
        _migrate(settings)
    else:
        collect_seldom()
        run("sink", sink.run, sink.serve_health)


def _migrate(settings: SinkSettings) -> None:
    try:
        asyncio.run(migrate(settings.postgres_dsn))
    except (MigrationError, asyncpg.PostgresError, OSError) as error:
        log.critical("migration failed", reason=str(error))
        sys.exit(1)


if __name__ == "__main__":
    main()
