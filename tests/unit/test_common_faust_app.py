"""How a Faust app comes to its changelogs."""

from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import pytest
from aiokafka.errors import KafkaConnectionError

from services.common.kafka import faust_app
from services.common.kafka.admin import TopicDriftError
from services.common.settings import CommonSettings
from services.processor.app import create_app
from services.processor.settings import ProcessorSettings


@pytest.fixture
def app() -> Any:
    return create_app(ProcessorSettings())


@pytest.fixture
def answers() -> Iterator[list[Exception | None]]:
    """What the broker says, one answer a request."""
    listed: list[Exception | None] = []

    async def ensure_topics(*_: Any, **__: Any) -> list[str]:
        if error := listed.pop(0):
            raise error
        return []

    with patch.object(faust_app, "ensure_topics", ensure_topics), patch.object(faust_app, "RETRY_SECONDS", 0.0):
        yield listed


def test_a_broker_that_is_away_is_waited_for(app: Any, answers: list[Exception | None]) -> None:
    answers += [KafkaConnectionError("away"), TimeoutError(), None]
    faust_app._make_changelogs(app, CommonSettings())
    assert answers == []


def test_a_changelog_that_is_not_what_it_must_be_ends_the_process(app: Any, answers: list[Exception | None]) -> None:
    answers.append(TopicDriftError("partitions is 8, must be 12"))
    with pytest.raises(SystemExit):
        faust_app._make_changelogs(app, CommonSettings())
