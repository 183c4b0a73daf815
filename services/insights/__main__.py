"""``python -m services.insights``: sessions and insight events in, occupancy, merges and alerts out."""

import argparse

from services.common.kafka.faust_app import run_faust
from services.common.logging import configure_logging, get_logger
from services.insights.agents import INPUTS
from services.insights.app import create_app
from services.insights.rulebook import RuleBook
from services.insights.settings import InsightsSettings

log = get_logger(__name__)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m services.insights", description=__doc__)
    parser.add_argument("--check", action="store_true", help="build the settings and the app, then exit")
    arguments = parser.parse_args()
    settings = InsightsSettings()
    configure_logging("insights", settings.log_level)
    rulebook = RuleBook(settings.kafka_bootstrap)
    app = create_app(settings, rulebook)
    if arguments.check:
        return
    log.info("starting", settings=settings.shown())
    run_faust(app, settings, INPUTS, settings.insights_port, {"rules": rulebook.check})


if __name__ == "__main__":
    main()
