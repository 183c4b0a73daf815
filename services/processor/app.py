"""The processor: a Faust app that turns appearances into sessions."""

import faust

from services.common.kafka.faust_app import create_faust_app
from services.common.kafka.groups import PROCESSOR
from services.processor.agents import attach_agents
from services.processor.settings import ProcessorSettings

APP_ID = PROCESSOR


def create_app(settings: ProcessorSettings) -> faust.App:
    app = create_faust_app(APP_ID, settings)
    attach_agents(app, settings)
    return app
