"""Logging in, against a real database and a real Redis."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest
import pytest_asyncio
from redis.asyncio import Redis

from services.common.auth import SESSION_COOKIE
from services.common.redis import create_redis
from services.gateway import auth
from tests.support.databases import fresh_database
from tests.support.environment import ADMIN_EMAIL, ADMIN_PASSWORD, environment
from tests.support.gateway import Gateway, gateway_settings, running_gateway
from tests.support.kafka import make_topics_empty
from tests.support.servers import Servers

ATTEMPTS = 3

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    await make_topics_empty(servers.kafka)
    async with fresh_database(servers.postgres) as database:
        env = environment(servers, database, tmp_path_factory.mktemp("auth"))
        async with running_gateway(gateway_settings(env)) as running:
            yield running


@pytest_asyncio.fixture(autouse=True, loop_scope="module")
async def few_attempts(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    """Few are free, as each costs a hash that is slow by intention, and none is counted yet."""
    monkeypatch.setattr(auth, "MAX_ATTEMPTS", ATTEMPTS)
    async with Redis.from_url(servers.redis) as redis:
        await redis.flushall()


async def login(gateway: Gateway, email: str = ADMIN_EMAIL, password: str = ADMIN_PASSWORD) -> httpx.Response:
    return await gateway.http.post("/api/v1/auth/login", json={"email": email, "password": password})


async def test_a_login_gives_a_token_and_a_cookie_that_scripts_cannot_read(gateway: Gateway) -> None:
    answer = await login(gateway, f" {ADMIN_EMAIL.upper()} ")
    assert answer.json()["token_type"] == "bearer"
    assert answer.json()["expires_in"] == gateway.settings.token_ttl_seconds
    cookie = answer.headers["set-cookie"]
    for part in (f"{SESSION_COOKIE}=", "HttpOnly", "SameSite=lax", "Path=/"):
        assert part in cookie
    for headers in (
        {"Authorization": f"Bearer {answer.json()['access_token']}"},
        {"Cookie": cookie.split(";")[0]},
    ):
        me = await gateway.http.get("/api/v1/auth/me", headers=headers)
        assert (me.json()["email"], me.json()["role"]) == (ADMIN_EMAIL, "admin")


async def test_the_cookie_is_for_https_alone_where_that_is_set(gateway: Gateway) -> None:
    opened = gateway.app.state.resources
    secure = opened.settings.model_copy(update={"cookie_secure": True})
    gateway.app.state.resources = replace(opened, settings=secure)
    answer = await login(gateway)
    gateway.app.state.resources = opened
    assert "Secure" in answer.headers["set-cookie"]


async def test_a_logout_takes_the_cookie_away(gateway: Gateway) -> None:
    answer = await gateway.http.post("/api/v1/auth/logout")
    assert answer.status_code == 204
    assert "Max-Age=0" in answer.headers["set-cookie"]


async def test_a_wrong_password_and_an_unknown_user_cannot_be_told_apart(gateway: Gateway) -> None:
    wrong, unknown = await login(gateway, password="x"), await login(gateway, "nobody@example.com")
    assert wrong.status_code == unknown.status_code == 401
    known, other = ({**answer.json(), "request_id": ""} for answer in (wrong, unknown))
    assert known == other
    assert "set-cookie" not in wrong.headers


async def test_passwords_cannot_be_guessed_on_and_on(gateway: Gateway) -> None:
    for _ in range(ATTEMPTS):
        assert (await login(gateway, password="guess")).status_code == 401
    refused = await login(gateway)
    assert refused.status_code == 429
    assert 0 < int(refused.headers["retry-after"]) <= 300
    assert (await login(gateway, "other@example.com")).status_code == 401


async def test_a_login_forgets_the_attempts_before_it(gateway: Gateway) -> None:
    for _ in range(2):
        for _ in range(ATTEMPTS - 1):
            await login(gateway, password="typo")
        assert (await login(gateway)).status_code == 200


async def test_without_redis_one_can_log_in_and_is_not_limited(gateway: Gateway) -> None:
    opened = gateway.app.state.resources
    gateway.app.state.resources = replace(opened, redis=create_redis("redis://127.0.0.1:1/0", "nowhere"))
    answers = [await login(gateway, password="guess") for _ in range(ATTEMPTS + 1)] + [await login(gateway)]
    gateway.app.state.resources = opened
    assert [answer.status_code for answer in answers] == [401] * (ATTEMPTS + 1) + [200]


async def test_the_first_admin_is_made_once_and_never_changed(gateway: Gateway) -> None:
    before = await gateway.database.fetch("SELECT * FROM users")
    await auth.ensure_admin(gateway.database, ADMIN_EMAIL, "another password")
    await auth.ensure_admin(gateway.database, "", "")
    assert await gateway.database.fetch("SELECT * FROM users") == before


async def test_passwords_are_kept_as_salted_argon2_hashes() -> None:
    first, second = await auth.hash_password("same"), await auth.hash_password("same")
    assert first.startswith("$argon2id$")
    assert first != second


async def test_logins_and_refusals_are_in_the_audit(gateway: Gateway) -> None:
    await gateway.database.execute("DELETE FROM audit")
    await login(gateway)
    await login(gateway, password="x")
    found = await gateway.database.fetch("SELECT actor, action FROM audit ORDER BY audit_id")
    assert [tuple(row) for row in found] == [(ADMIN_EMAIL, "login"), (ADMIN_EMAIL, "login_refused")]


async def test_the_secret_that_signs_tokens_is_kept_for_the_owner_alone(gateway: Gateway) -> None:
    found = await asyncio.to_thread((gateway.settings.home / "token_secret").stat)
    assert found.st_mode & 0o777 == 0o600
