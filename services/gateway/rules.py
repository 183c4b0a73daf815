"""Alert rules: published to Kafka, read back from the table that the sink fills."""

import uuid
from datetime import datetime

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition

from services.common import clock
from services.common.events.alerts import AlertRule
from services.common.events.common import stable_id
from services.common.kafka.producer import EventProducer
from services.common.logging import get_logger
from services.common.topics import PARTITIONS, Topic
from services.gateway.errors import NotFoundError
from services.gateway.models import AlertRuleDraft

log = get_logger(__name__)

LONG_STAY_SECONDS = 600.0
CROWDED_PEOPLE = 12.0
DEFAULT_COOLDOWN_SECONDS = 300.0

DEFAULT_RULES = (
    AlertRuleDraft(
        name="Long stay",
        kind="dwell_exceeded",
        threshold=LONG_STAY_SECONDS,
        severity="medium",
        cooldown_seconds=DEFAULT_COOLDOWN_SECONDS,
    ),
    AlertRuleDraft(
        name="Crowded",
        kind="occupancy_exceeded",
        threshold=CROWDED_PEOPLE,
        severity="high",
        cooldown_seconds=DEFAULT_COOLDOWN_SECONDS,
    ),
)

_SOURCE = "gateway"


class RuleBook:
    """Reads and changes rules. What was published here and is not in the table yet is remembered until it is."""

    def __init__(self, db: asyncpg.Pool, producer: EventProducer) -> None:
        self._db = db
        self._producer = producer
        self._published: dict[str, AlertRule] = {}

    async def read_all(self) -> list[AlertRule]:
        found = {row["rule_id"]: AlertRule(**row) for row in await self._db.fetch("SELECT * FROM alert_rules")}
        for rule_id, rule in list(self._published.items()):
            if rule_id in found and found[rule_id].version >= rule.version:
                del self._published[rule_id]
            else:
                found[rule_id] = rule
        return sorted((rule for rule in found.values() if not rule.deleted), key=lambda rule: (rule.name, rule.rule_id))

    async def read(self, rule_id: str) -> AlertRule:
        for rule in await self.read_all():
            if rule.rule_id == rule_id:
                return rule
        raise NotFoundError("There is no alert rule with this id.")

    async def create(self, draft: AlertRuleDraft) -> AlertRule:
        return await self._publish(_rule(draft, uuid.uuid4().hex, 1, clock.now()))

    async def change(self, rule_id: str, draft: AlertRuleDraft) -> AlertRule:
        current = await self.read(rule_id)
        return await self._publish(_rule(draft, rule_id, current.version + 1, clock.now()))

    async def delete(self, rule_id: str) -> AlertRule:
        current = await self.read(rule_id)
        draft = AlertRuleDraft.model_validate(current, from_attributes=True)
        return await self._publish(_rule(draft, rule_id, current.version + 1, clock.now(), deleted=True))

    async def publish_defaults(self, bootstrap: str) -> None:
        """Where no rule was ever made; the ids are fixed, so that doing it twice makes no second rule."""
        if await self._db.fetchval("SELECT EXISTS (SELECT FROM alert_rules)") or await _any_published(bootstrap):
            return
        for draft in DEFAULT_RULES:
            await self._publish(_rule(draft, stable_id("default rule", draft.name), 1, clock.now()))
        log.info("default alert rules published", rules=[draft.name for draft in DEFAULT_RULES])

    async def _publish(self, rule: AlertRule) -> AlertRule:
        await self._producer.publish(Topic.ALERT_RULES, [rule], _SOURCE)
        self._published[rule.rule_id] = rule
        return rule


def _rule(
    draft: AlertRuleDraft, rule_id: str, version: int, updated_at: datetime, *, deleted: bool = False
) -> AlertRule:
    return AlertRule(**draft.model_dump(), rule_id=rule_id, version=version, updated_at=updated_at, deleted=deleted)


async def _any_published(bootstrap: str) -> bool:
    partitions = [TopicPartition(Topic.ALERT_RULES, number) for number in range(PARTITIONS)]
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, client_id="gateway-rules")
    await consumer.start()
    try:
        return any((await consumer.end_offsets(partitions)).values())
    finally:
        await consumer.stop()
