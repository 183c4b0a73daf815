"""``python -m services.sink``: write Kafka's facts to PostgreSQL; ``migrate``: bring the tables up to date."""

import argparse
import asyncio
import sys

import asyncpg

from services.common.logging import configure_logging, get_logger
from services.sink.migrate import MigrationError, migrate
from services.sink.settings import SinkSettings

log = get_logger(__name__)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m services.sink")
    parser.add_argument("command", nargs="?", choices=("run", "migrate"), default="run")
    arguments = parser.parse_args()
    settings = SinkSettings()
    configure_logging("sink", settings.log_level)
    if arguments.command == "migrate":
        try:
            asyncio.run(migrate(settings.postgres_dsn))
        except (MigrationError, asyncpg.PostgresError, OSError) as error:
            log.critical("migration failed", reason=str(error))
            sys.exit(1)


if __name__ == "__main__":
    main()
