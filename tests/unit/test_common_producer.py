"""What publishing comes to when Kafka says nothing."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from services.common.kafka import producer as producing
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


async def test_others_have_a_turn_while_much_is_encoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(producing, "TURN_SECONDS", -1)
    producer = EventProducer("127.0.0.1:1", "test")
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async def send(*_: Any, **__: Any) -> asyncio.Future[Any]:
        delivered = asyncio.get_running_loop().create_future()
        delivered.set_result(SimpleNamespace(partition=0, offset=turns))
        return delivered

    monkeypatch.setattr(producer._producer, "send", send)
    other = asyncio.create_task(others())
    alerts = [alert(number, camera_id=f"c{number}") for number in range(20)]
    behind = await producer.publish(Topic.ALERTS, alerts, "test")
    other.cancel()
    assert behind[0] > 15
