"""What publishing comes to when Kafka says nothing."""

import asyncio
from typing import Any

import pytest

from services.common.kafka.producer import EventProducer, PublishError
from services.common.topics import Topic
from tests.support.alerts import alert


async def test_a_broker_that_never_answers_is_a_refusal_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    producer = EventProducer("127.0.0.1:1", "test", timeout_ms=50)

    async def send(*_: Any, **__: Any) -> asyncio.Future[None]:
        return asyncio.get_running_loop().create_future()

    monkeypatch.setattr(producer._producer, "send", send)
    with pytest.raises(PublishError):
        async with asyncio.timeout(10):
            await producer.publish(Topic.ALERTS, [alert(1)], "test")
