"""The insights service: a Faust app that turns sessions and insight events into occupancy, merges and alerts."""

import faust

from services.common.kafka.ending import end_process
from services.common.kafka.faust_app import create_faust_app
from services.common.kafka.groups import INSIGHTS
from services.insights.agents import attach_agents
from services.insights.rulebook import RuleBook
from services.insights.settings import InsightsSettings

APP_ID = INSIGHTS


def create_app(settings: InsightsSettings, rulebook: RuleBook) -> faust.App:
    app = create_faust_app(APP_ID, settings)
    attach_agents(app, settings, rulebook)

    @app.task  # type: ignore[untyped-decorator]
    async def rules() -> None:
        try:
            await rulebook.run()
        except Exception:
            end_process("alert rules could not be read")

    return app
