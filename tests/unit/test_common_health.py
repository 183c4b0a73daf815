import asyncio

import pytest
from fastapi.testclient import TestClient

from services.common import health, metrics
from services.common.health import Check, Health, health_app


def client(**checks: Check) -> TestClient:
    return TestClient(health_app(checks))


async def well() -> Health:
    return Health(ok=True, detail={"lag_records": 3})


async def behind() -> Health:
    return Health(ok=False, detail={"lag_records": 90_000})


async def broken() -> Health:
    raise ConnectionError("nobody answers")


def test_a_service_whose_checks_pass_is_ready_and_says_its_numbers() -> None:
    answer = client(kafka=well).get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ready", "checks": {"kafka": {"ok": True, "lag_records": 3}}}


def test_one_check_that_fails_makes_it_not_ready_and_the_others_still_speak() -> None:
    answer = client(kafka=behind, postgres=well).get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["status"] == "not ready"
    assert answer.json()["checks"]["kafka"] == {"ok": False, "lag_records": 90_000}
    assert answer.json()["checks"]["postgres"]["ok"]


def test_a_check_that_raises_is_told_with_its_reason() -> None:
    answer = client(postgres=broken).get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"]["postgres"] == {"ok": False, "error": "ConnectionError: nobody answers"}


def test_a_check_that_never_answers_is_told_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    async def hanging() -> Health:
        await asyncio.Event().wait()
        raise AssertionError("nobody ever sets it")

    monkeypatch.setattr(health, "CHECK_SECONDS", 0.01)
    answer = client(kafka=hanging).get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"]["kafka"] == {"ok": False, "error": "no answer in 0.01 s"}


def test_alive_asks_nobody() -> None:
    answer = client(postgres=broken).get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "alive"})


def test_metrics_are_in_prometheus_text() -> None:
    metrics.CONSUMED.labels("appearances.v1").inc()
    answer = client().get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert 'dwell_consumed_items_total{topic="appearances.v1"}' in answer.text
