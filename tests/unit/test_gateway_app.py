"""The application around the routes: who gets in, what every answer carries, and how refusals look."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI

from services.common import clock
from services.common.auth import ROLES, SESSION_COOKIE, Claims, encode_token
from services.gateway.app import create_app
from services.gateway.dependencies import Resources
from services.gateway.settings import GatewaySettings

SECRET = "s" * 40
UPLOAD_ID = "00000000-0000-0000-0000-000000000009"
USER_ID = "4c8f4f7e-9df5-4ac5-8a3a-2f6f5a0f2f10"
OPEN_PATHS = {("/api/v1/auth/login", "post"), ("/api/v1/auth/logout", "post"), ("/api/v1/tus", "options")}


class OneUser:
    """A database that knows one user and nothing else."""

    def __init__(self, role: str | None) -> None:
        self.role = role

    async def fetchrow(self, query: str, *_: Any) -> dict[str, str] | None:
        assert "FROM users" in query, "the request went past the door"
        return {"user_id": USER_ID, "email": "u@example.com", "role": self.role} if self.role else None


def settings(tmp_path: Path, **given: Any) -> GatewaySettings:
    return GatewaySettings(home=tmp_path, **{"frontend_dist": tmp_path / "dist", **given})


def with_user(app: FastAPI, given: GatewaySettings, role: str | None) -> FastAPI:
    nothing: Any = None
    app.state.resources = Resources(
        settings=given,
        token_secret=SECRET,
        db=cast(Any, OneUser(role)),
        store=nothing,
        resumable=nothing,
        producer=nothing,
        redis=nothing,
        feeder=nothing,
        settler=nothing,
        announcer=nothing,
        listener=nothing,
        rules=nothing,
        sink_lag=nothing,
        exports=asyncio.Semaphore(),
        inline_uploads=asyncio.Semaphore(),
    )
    return app


def client_of(app: FastAPI, **options: Any) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://dashboard.test", **options)


@pytest_asyncio.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    given = settings(tmp_path)
    async with client_of(with_user(create_app(given), given, "admin")) as found:
        yield found


def token(secret: str = SECRET, seconds: float = 60) -> str:
    expires_at = clock.now() + timedelta(seconds=seconds)
    return encode_token(Claims(user_id=USER_ID, email="u@example.com", role="viewer", expires_at=expires_at), secret)


def bearer(found: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {found}"}


async def test_everything_but_login_and_what_tus_can_needs_a_login(client: httpx.AsyncClient) -> None:
    paths = (await client.get("/api/openapi.json")).json()["paths"]
    asked = {(path, method) for path, methods in paths.items() for method in methods} - OPEN_PATHS
    assert len(asked) > 20
    for path, method in sorted(asked):
        answer = await client.request(method, path.replace("{", "").replace("}", ""))
        assert answer.status_code == 401, f"{method} {path}"
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("found", ["", "x", token("other" * 10), token(seconds=-1), token() + "x"])
async def test_a_token_that_is_not_ours_or_has_expired_is_none(client: httpx.AsyncClient, found: str) -> None:
    for how in ({"headers": bearer(found)}, {"headers": {"Cookie": f"{SESSION_COOKIE}={found}"}}):
        assert (await client.get("/api/v1/auth/me", **how)).status_code == 401  # type: ignore[arg-type]


async def test_a_user_who_was_removed_is_out_at_once(tmp_path: Path) -> None:
    given = settings(tmp_path)
    async with client_of(with_user(create_app(given), given, None)) as client:
        assert (await client.get("/api/v1/auth/me", headers=bearer(token()))).status_code == 401


async def test_the_role_is_the_users_present_one_and_not_the_tokens(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/v1/auth/me", headers=bearer(token()))
    assert answer.json() == {"user_id": USER_ID, "email": "u@example.com", "role": "admin"}


RULE = {"name": "x", "kind": "dwell_exceeded", "threshold": 1}


@pytest.mark.parametrize(
    ("method", "path", "needed", "body"),
    [
        ("GET", "/sessions", "viewer", None),
        ("GET", "/analytics/summary", "viewer", None),
        ("GET", "/uploads", "viewer", None),
        ("POST", "/uploads", "operator", None),
        ("POST", f"/uploads/{UPLOAD_ID}/decision", "operator", {"choice": "drop"}),
        ("POST", f"/uploads/{UPLOAD_ID}/cancel", "operator", None),
        ("POST", f"/uploads/{UPLOAD_ID}/retry", "operator", None),
        ("DELETE", f"/uploads/{UPLOAD_ID}", "operator", None),
        ("POST", "/alerts/a1/acknowledge", "operator", None),
        ("GET", "/sessions.csv", "analyst", None),
        ("GET", f"/uploads/{UPLOAD_ID}/rejects.csv", "operator", None),
        ("GET", "/quarantine", "operator", None),
        ("GET", "/quarantine/groups", "operator", None),
        ("POST", "/quarantine/replay", "operator", {"items": [{"quarantine_id": "q1"}]}),
        ("POST", "/quarantine/dismiss", "operator", {"quarantine_ids": ["q1"]}),
        ("POST", "/alert-rules", "admin", RULE),
        ("PUT", "/alert-rules/r1", "admin", RULE),
        ("DELETE", "/alert-rules/r1", "admin", None),
    ],
)
async def test_each_act_needs_its_role(tmp_path: Path, method: str, path: str, needed: str, body: Any) -> None:
    given = settings(tmp_path)
    app = create_app(given)
    for role in ROLES:
        async with client_of(with_user(app, given, role)) as client:
            answer = await client.request(method, f"/api/v1{path}", headers=bearer(token()), json=body)
        assert (answer.status_code == 403) is (ROLES.index(role) < ROLES.index(needed)), f"{role}: {answer.text}"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 422),
        ({"Origin": "http://dashboard.test"}, 422),
        ({"Origin": "http://proxy.example"}, 422),
        ({"Origin": "http://localhost:5173", "Sec-Fetch-Site": "same-origin"}, 422),
        ({"Origin": "http://proxy.example", "Sec-Fetch-Site": "cross-site"}, 422),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"}, 403),
        ({"Origin": "http://dashboard.test", "Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "http://dashboard.test.evil.example"}, 403),
        ({"Origin": "http://dashboard.test:81"}, 403),
        ({"Origin": "null"}, 403),
    ],
)
async def test_a_page_of_another_site_cannot_act_with_the_cookie(
    tmp_path: Path, headers: dict[str, str], status: int
) -> None:
    given = settings(tmp_path, allowed_origins=["http://proxy.example"])
    app = with_user(create_app(given), given, "admin")
    async with client_of(app, headers={"Cookie": f"{SESSION_COOKIE}={token()}"}) as client:
        answer = await client.post("/api/v1/alert-rules", headers=headers, json={})
    # An empty rule is refused as such only where the door was passed.
    assert answer.status_code == status


async def test_a_bearer_token_is_no_cookie_and_may_come_from_anywhere(client: httpx.AsyncClient) -> None:
    headers = {**bearer(token()), "Origin": "http://evil.example"}
    assert (await client.post("/api/v1/alert-rules", headers=headers, json={})).status_code == 422


@pytest.mark.parametrize("given", ['"cooldown_seconds": 1e12', '"threshold": 1e400', '"cooldown_seconds": Infinity'])
async def test_a_rule_without_bounds_is_refused(client: httpx.AsyncClient, given: str) -> None:
    headers = {**bearer(token()), "Content-Type": "application/json"}
    content = f'{{"name": "x", "kind": "dwell_exceeded", "threshold": 1, {given}}}'
    assert (await client.post("/api/v1/alert-rules", headers=headers, content=content)).status_code == 422


async def test_until_its_servers_are_there_it_says_so(tmp_path: Path) -> None:
    async with client_of(create_app(settings(tmp_path))) as client:
        assert (await client.get("/healthz")).status_code == 200
        ready = await client.get("/readyz")
        assert (ready.status_code, set(ready.json()["checks"])) == (503, {"postgres", "kafka"})
        answer = await client.get("/api/v1/sessions", headers=bearer(token()))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


async def test_refusals_are_problem_details_with_the_requests_id(client: httpx.AsyncClient) -> None:
    headers = {**bearer(token()), "X-Request-ID": "abc-1"}
    answer = await client.get("/api/v1/sessions?limit=0&min_dwell=x", headers=headers)
    assert answer.headers["content-type"] == "application/problem+json"
    found = answer.json()
    assert (found["status"], found["instance"], found["request_id"]) == (422, "/api/v1/sessions", "abc-1")
    assert "min_dwell" in found["detail"]


async def test_an_error_of_ours_tells_nothing_but_its_id(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/v1/filters", headers=bearer(token()))
    assert answer.status_code == 500
    assert answer.json() == {
        "type": "about:blank",
        "title": "Internal error",
        "status": 500,
        "detail": None,
        "instance": "/api/v1/filters",
        "request_id": answer.json()["request_id"],
    }
    assert answer.json()["request_id"]


async def test_long_answers_are_packed_for_who_can_unpack_them(client: httpx.AsyncClient) -> None:
    for accepted, packed in (("gzip", "gzip"), ("identity", None)):
        answer = await client.get("/api/openapi.json", headers={"Accept-Encoding": accepted})
        assert answer.headers.get("content-encoding") == packed
        assert answer.json()["info"]["title"] == "Dwellstream"


async def test_a_request_id_that_is_no_plain_word_is_replaced(client: httpx.AsyncClient) -> None:
    answer = await client.get("/healthz", headers={"X-Request-ID": "a b;c"})
    assert answer.headers["x-request-id"].isalnum()


async def test_every_answer_binds_the_browser(client: httpx.AsyncClient) -> None:
    for path in ("/healthz", "/api/openapi.json", "/api/v1/sessions", "/nowhere"):
        headers = (await client.get(path)).headers
        policy = headers["content-security-policy"]
        assert "script-src 'self';" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe-eval" not in policy
        assert "connect-src 'self' ws://dashboard.test:8001;" in policy
        assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("host", "given", "url"),
    [
        ("shop.example:8000", {}, "ws://shop.example:8001/ws/alerts"),
        ("[::1]:8000", {}, "ws://[::1]:8001/ws/alerts"),
        ("x;script-src *", {}, "ws://dashboard.test:8001/ws/alerts"),
        ("shop.example", {"notifier_url": "wss://live.example/ws/alerts"}, "wss://live.example/ws/alerts"),
    ],
)
async def test_the_alert_socket_is_on_the_host_the_browser_talks_to(
    tmp_path: Path, host: str, given: dict[str, str], url: str
) -> None:
    found = settings(tmp_path, **given)
    async with client_of(with_user(create_app(found), found, "viewer")) as client:
        answer = await client.get("/api/v1/live", headers={**bearer(token()), "Host": host})
    assert answer.json() == {"url": url}
    assert f"connect-src 'self' {url.removesuffix('/ws/alerts')};" in answer.headers["content-security-policy"]


async def test_a_body_larger_than_any_of_ours_is_refused(client: httpx.AsyncClient) -> None:
    answer = await client.post("/api/v1/auth/login", json={"email": "x" * 2_000_000, "password": "y"})
    assert answer.status_code == 413


@pytest_asyncio.fixture
async def site(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    assets = tmp_path / "dist" / "assets"
    assets.mkdir(parents=True)
    (tmp_path / "dist" / "index.html").write_text("<title>dashboard</title>")
    (assets / "app-1.js").write_text("run()")
    (tmp_path / "token_secret").write_text("hidden")
    async with client_of(create_app(settings(tmp_path))) as found:
        yield found


@pytest.mark.parametrize("path", ["/", "/sessions", "/alerts/a1?from=2026-01-01", "/..%2ftoken_secret", "/index.html"])
async def test_any_page_is_the_dashboard(site: httpx.AsyncClient, path: str) -> None:
    answer = await site.get(path)
    assert (answer.status_code, answer.text) == (200, "<title>dashboard</title>")
    assert answer.headers["cache-control"] == "no-cache"


async def test_hashed_assets_are_kept_by_the_browser_and_missing_ones_are_missing(site: httpx.AsyncClient) -> None:
    found = await site.get("/assets/app-1.js")
    assert (found.text, found.headers["cache-control"]) == ("run()", "public, max-age=31536000, immutable")
    assert (await site.get("/assets/app-0.js")).status_code == 404


@pytest.mark.parametrize("path", ["/api", "/api/", "/api/v1/nowhere", "/api/v2/sessions"])
async def test_the_dashboard_never_answers_for_the_interface(site: httpx.AsyncClient, path: str) -> None:
    for method in ("GET", "POST"):
        answer = await site.request(method, path)
        assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


async def test_a_method_that_a_path_does_not_have_is_told_as_such(site: httpx.AsyncClient) -> None:
    answer = await site.get("/api/v1/auth/login")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


def test_the_check_builds_the_application_without_any_server() -> None:
    subprocess.run([sys.executable, "-m", "services.gateway", "--check"], check=True, timeout=60)
