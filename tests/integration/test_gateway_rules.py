"""Alert rules: published to Kafka, read back from what the sink stored, and right in between."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from services.common.events.alerts import AlertRule
from services.common.topics import Topic
from services.gateway.rules import CROWDED_PEOPLE, LONG_STAY_SECONDS
from tests.support.databases import fresh_database
from tests.support.environment import environment
from tests.support.facts import store
from tests.support.gateway import Gateway, gateway_settings, running_gateway
from tests.support.kafka import make_topics_empty, read_items
from tests.support.servers import Servers

pytestmark = pytest.mark.asyncio(loop_scope="module")

NEW = {"name": "Queue", "kind": "occupancy_exceeded", "threshold": 5, "severity": "low", "camera_ids": ["till"]}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    await make_topics_empty(servers.kafka)
    async with fresh_database(servers.postgres) as database:
        env = environment(servers, database, tmp_path_factory.mktemp("rules"))
        async with running_gateway(gateway_settings(env)) as running:
            yield running


async def published(gateway: Gateway) -> list[AlertRule]:
    found = await read_items(gateway.settings.kafka_bootstrap, Topic.ALERT_RULES)
    return [rule for rule in found if isinstance(rule, AlertRule)]


async def test_a_new_system_has_the_default_rules_once_however_often_it_starts(gateway: Gateway) -> None:
    async with running_gateway(gateway.settings) as again:
        assert {(rule.name, rule.kind, rule.threshold, rule.version) for rule in await published(again)} == {
            ("Long stay", "dwell_exceeded", LONG_STAY_SECONDS, 1),
            ("Crowded", "occupancy_exceeded", CROWDED_PEOPLE, 1),
        }
        assert len(await published(again)) == 2


async def test_a_rule_is_in_kafka_when_the_answer_comes_and_shown_before_the_sink_has_it(gateway: Gateway) -> None:
    answer = await gateway.http.post("/api/v1/alert-rules", json=NEW)
    assert answer.status_code == 201
    rule = answer.json()
    assert {name: rule[name] for name in NEW} == NEW
    assert (rule["version"], rule["enabled"], rule["cooldown_seconds"]) == (1, True, 300.0)
    assert [each.rule_id for each in await published(gateway) if each.name == "Queue"] == [rule["rule_id"]]
    assert await gateway.get(f"alert-rules/{rule['rule_id']}") == rule
    assert rule in await gateway.get("alert-rules")


async def test_a_change_is_the_next_version_and_a_deletion_one_more(gateway: Gateway) -> None:
    rule_id = (await gateway.http.post("/api/v1/alert-rules", json={**NEW, "name": "Changing"})).json()["rule_id"]
    path = f"/api/v1/alert-rules/{rule_id}"
    changed = (await gateway.http.put(path, json={**NEW, "name": "Changed", "enabled": False})).json()
    assert (changed["version"], changed["name"], changed["enabled"]) == (2, "Changed", False)
    assert (await gateway.http.delete(path)).status_code == 204
    assert (await gateway.http.get(path)).status_code == 404
    assert (await gateway.http.delete(path)).status_code == 404
    versions = [(rule.version, rule.deleted) for rule in await published(gateway) if rule.rule_id == rule_id]
    assert versions == [(1, False), (2, False), (3, True)]
    actions = await gateway.database.fetch("SELECT action FROM audit WHERE target = $1 ORDER BY audit_id", rule_id)
    assert [row["action"] for row in actions] == ["rule_created", "rule_changed", "rule_deleted"]


async def test_what_the_sink_stored_holds_where_it_is_newer(gateway: Gateway) -> None:
    rule = (await gateway.http.post("/api/v1/alert-rules", json={**NEW, "name": "Here"})).json()
    stored = {
        **rule,
        "name": "Elsewhere",
        "version": 2,
        "deleted": False,
        "updated_at": (await published(gateway))[0].updated_at,
    }
    await store(gateway.database, "alert_rules", [stored])
    assert (await gateway.get(f"alert-rules/{rule['rule_id']}"))["name"] == "Elsewhere"
    changed = await gateway.http.put(f"/api/v1/alert-rules/{rule['rule_id']}", json=NEW)
    assert changed.json()["version"] == 3


@pytest.mark.parametrize(
    "changed",
    [{"name": ""}, {"name": "a\0b"}, {"kind": "dance"}, {"threshold": -1}, {"severity": "x"}, {"camera_ids": [""]}],
)
async def test_a_rule_that_cannot_be_is_refused(gateway: Gateway, changed: dict[str, object]) -> None:
    assert (await gateway.http.post("/api/v1/alert-rules", json={**NEW, **changed})).status_code == 422
