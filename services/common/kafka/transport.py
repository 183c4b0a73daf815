"""Faust's Kafka transport with a short fetch wait; Faust's own is 1.5 s, without a setting."""

from typing import Any

import faust
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Consumer, Transport
from yarl import URL

from services.common.kafka.fetching import FETCH_MIN_BYTES, FETCH_WAIT_MS


class _Thread(AIOKafkaConsumerThread):
    def _create_worker_consumer(self, transport: Transport) -> Any:
        consumer: Any = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = FETCH_WAIT_MS
        consumer._fetch_min_bytes = FETCH_MIN_BYTES
        return consumer


class _Consumer(Consumer):
    def _new_consumer_thread(self) -> _Thread:
        return _Thread(self, loop=self.loop, beacon=self.beacon)


class QuickTransport(Transport):
    Consumer = _Consumer


def quick_transport(app: faust.App, broker: str) -> QuickTransport:
    return QuickTransport([URL(broker)], app)
