"""The alert rules as they are now, read by every process whole."""

import asyncio
from collections.abc import Iterable

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from services.common.events.alerts import AlertRule
from services.common.health import Health
from services.common.kafka.envelopes import decode
from services.common.logging import get_logger
from services.common.topics import PARTITIONS, Topic
from services.insights.domain.rules import applies

log = get_logger(__name__)

POLL_MS = 500


class RuleBook:
    """Follows alert.rules.v1 from its beginning, without a group: rules lie on all partitions, and each process needs
    every one of them. `known` is set once everything that was there at the start has been read."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._rules: dict[str, AlertRule] = {}
        self.known = asyncio.Event()

    def for_camera(self, camera_id: str) -> list[AlertRule]:
        return [rule for _, rule in sorted(self._rules.items()) if applies(rule, camera_id)]

    async def run(self) -> None:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap,
            client_id="dwell-insights-rules",
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
        )
        await consumer.start()
        try:
            partitions = [TopicPartition(Topic.ALERT_RULES, number) for number in range(PARTITIONS)]
            consumer.assign(partitions)
            await consumer.seek_to_beginning(*partitions)
            ends = await consumer.end_offsets(partitions)
            while True:
                for records in (await consumer.getmany(timeout_ms=POLL_MS)).values():
                    self.take(records)
                if not self.known.is_set():
                    positions = [await consumer.position(partition) for partition in partitions]
                    if all(
                        position >= ends[partition] for partition, position in zip(partitions, positions, strict=True)
                    ):
                        log.info("alert rules read", rules=len(self._rules))
                        self.known.set()
        finally:
            await consumer.stop()

    def take(self, records: Iterable[ConsumerRecord]) -> None:
        """Keep the latest version of each rule; what cannot be read is the sink's to quarantine."""
        for record in records:
            decoded = decode(Topic.ALERT_RULES, record.value)
            for rule in decoded.items:
                known = self._rules.get(rule.rule_id)
                if known is None or rule.version >= known.version:
                    self._rules[rule.rule_id] = rule
            if decoded.bad:
                log.warning("unreadable alert rule", partition=record.partition, offset=record.offset)

    async def check(self) -> Health:
        return Health(ok=self.known.is_set(), detail={"rules": len(self._rules)})
