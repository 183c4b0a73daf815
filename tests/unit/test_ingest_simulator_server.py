"""The simulated Corsight over HTTP, as a client meets it."""

import asyncio
import hashlib
import hmac
import json
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx
import pytest

from services.common import clock
from services.ingest.layout import CAMERAS
from services.ingest.simulator.__main__ import parser, simulator
from services.ingest.simulator.api import HistoryForm
from services.ingest.simulator.faults import Faults
from services.ingest.simulator.server import CorsightSimulator
from services.ingest.simulator.webhooks import Webhooks
from tests.support.event_stream import Listener
from tests.support.waiting import wait_until

HISTORY = "/history_service/history/"
LOGIN = {"username": "dwell", "password": "simulated"}


@asynccontextmanager
async def client_of(vendor: CorsightSimulator, **options: Any) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=vendor.url, trust_env=False, timeout=10, **options) as client:
        yield client


async def log_in(client: httpx.AsyncClient, path: str = "/users_service/auth/login/", **more: str) -> dict[str, Any]:
    """The answer; from now on the client has the token."""
    answer: dict[str, Any] = (await client.post(path, data={**LOGIN, **more})).raise_for_status().json()
    token = answer["data"].get("token") or answer["access_token"]
    client.headers["Authorization"] = f"Bearer {token}"
    return answer


@asynccontextmanager
async def entered(vendor: CorsightSimulator) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(vendor) as client:
        await log_in(client)
        yield client


@asynccontextmanager
async def listening(vendor: CorsightSimulator, client: httpx.AsyncClient) -> AsyncIterator[Listener]:
    async with client.stream("GET", f"{vendor.direct_url('events')}/events") as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        yield Listener(response)


async def until(condition: Callable[[], bool]) -> None:
    async def holds() -> bool:
        return condition()

    await wait_until(holds)


async def rows(client: httpx.AsyncClient, path: str = HISTORY, **asked: Any) -> list[Any]:
    response = await client.post(path, params={"query_db": "history_db"}, json=asked)
    found: list[Any] = response.raise_for_status().json()["data"]["matches"]
    return found


def told(vendor: CorsightSimulator) -> int:
    return vendor.vendor.told


class TestLogin:
    @pytest.mark.parametrize("place", ["both", "data", "top"])
    async def test_the_token_is_where_it_was_asked_to_be(self, place: Any) -> None:
        async with CorsightSimulator(pace=0, token_place=place) as vendor, client_of(vendor) as client:
            answer = await log_in(client)
            assert ("token" in answer["data"], "access_token" in answer) == (place != "top", place != "data")
            assert answer["expires_in"] == 600.0
            assert (await client.get("/cameras_service/cameras/")).is_success

    async def test_a_wrong_password_a_json_body_and_a_missing_token_are_refused(self) -> None:
        async with CorsightSimulator(pace=0) as vendor, client_of(vendor) as client:
            path = "/users_service/auth/login/"
            assert (await client.post(path, data={**LOGIN, "password": "guess"})).status_code == 401
            assert (await client.post(path, json=LOGIN)).status_code == 422
            assert (await client.get("/cameras_service/cameras/")).status_code == 401
            assert (await client.get("/events_service/events/")).status_code == 401

    async def test_a_token_expires_and_no_wish_makes_it_last_longer(self) -> None:
        async with CorsightSimulator(pace=0, token_seconds=0.05) as vendor, client_of(vendor) as client:
            assert (await log_in(client, session_time="86400"))["expires_in"] == 0.05

            async def expired() -> bool:
                return (await client.get("/cameras_service/cameras/")).status_code == 401

            await wait_until(expired)

    async def test_both_layouts_have_every_service(self) -> None:
        async with CorsightSimulator(pace=0) as vendor, client_of(vendor) as client:
            await log_in(client, f"{vendor.direct_url('users')}/auth/login/")
            for cameras in ("/cameras_service/cameras/", f"{vendor.direct_url('cameras')}/cameras/"):
                found = (await client.get(cameras)).json()["data"]["cameras"]
                assert [each["camera_id"] for each in found] == [camera.camera_id for camera in CAMERAS]
            through_gateway = await rows(client)
            for direct in (vendor.direct_url("history"), vendor.url):
                assert await rows(client, f"{direct}/history/") == through_gateway != []
            assert (await client.get(f"{vendor.direct_url('history')}/cameras/")).status_code == 404


class TestStream:
    async def test_it_says_what_is_told_from_now_on(self) -> None:
        async with CorsightSimulator(pace=0) as vendor, entered(vendor) as client:
            vendor.tell(5)
            async with listening(vendor, client) as listener:
                vendor.tell(20)
                events = await listener.hear(20)
            assert len({event["event_id"] for event in events}) == 20
            assert listener.bytes.startswith(b'data: {"event_type":')

    async def test_the_gateway_redirects_to_an_address_of_the_vendors_own(self) -> None:
        async with CorsightSimulator(pace=0, told_host="10.9.8.7") as vendor, entered(vendor) as client:
            for path in ("/events_service/events/", "/events_service/events"):
                response = await client.get(path)
                assert response.status_code == 307
                direct = httpx.URL(vendor.direct_url("events"))
                assert response.headers["location"] == f"http://10.9.8.7:{direct.port}/events"

    async def test_all_that_the_format_allows_says_the_same(self) -> None:
        async with (
            CorsightSimulator(pace=0, faults=Faults(odd=True, piece_bytes=700)) as vendor,
            entered(vendor) as client,
            listening(vendor, client) as listener,
        ):
            vendor.tell(60)
            events = await listener.hear(60)
        assert len({event["event_id"] for event in events}) == 60
        for form in (
            b"data:{",
            b'data: "{',
            b"\r\r",
            b"\r\n\r\n",
            b"\nid: ",
            b"\n: ",
            b"\nnothing known\n",
            b"data:  ",
        ):
            assert form in listener.bytes
        assert listener.pieces > len(listener.bytes) / 2 / 700

    async def test_the_end_of_the_vendor_ends_its_streams(self) -> None:
        async with httpx.AsyncClient(trust_env=False) as client:
            async with CorsightSimulator(pace=0) as vendor:
                await log_in(client, f"{vendor.url}/users_service/auth/login/")
                response = await client.send(
                    client.build_request("GET", f"{vendor.direct_url('events')}/events"), stream=True
                )
                vendor.tell(3)
            assert len(await Listener(response).hear_to_the_end()) == 3
            await response.aclose()


class TestFaults:
    async def test_a_stream_breaks_off_in_the_middle_of_a_line(self) -> None:
        async with CorsightSimulator(pace=0, faults=Faults(drop_every=4)) as vendor, entered(vendor) as client:
            for _ in range(2):
                async with listening(vendor, client) as listener:
                    vendor.tell(10)
                    with pytest.raises(httpx.RemoteProtocolError):
                        await listener.hear(10)
                assert len(await listener.hear(3)) == 3
                assert not listener.bytes.endswith(b"\n")

    async def test_one_drop_strikes_one_stream(self) -> None:
        async with CorsightSimulator(pace=0, faults=Faults(drops=1)) as vendor, entered(vendor) as client:
            async with listening(vendor, client) as listener:
                vendor.tell(2)
                with pytest.raises(httpx.RemoteProtocolError):
                    await listener.hear(1)
            async with listening(vendor, client) as listener:
                vendor.tell(2)
                await listener.hear(2)

    async def test_silence_holds_back_what_is_said_afterwards(self) -> None:
        async with (
            CorsightSimulator(pace=0) as vendor,
            entered(vendor) as client,
            listening(vendor, client) as listener,
        ):
            vendor.tell(1)
            await listener.hear(1)
            vendor.faults.silence = True
            vendor.tell(5)
            assert len(await rows(client, limit=1000)) > 0
            vendor.faults.silence = False
            assert len(await listener.hear(6)) == 6

    async def test_requests_are_refused_as_often_as_asked(self) -> None:
        faults = Faults(errors=1, refused_logins=1)
        async with CorsightSimulator(pace=0, faults=faults) as vendor, client_of(vendor) as client:
            path = "/users_service/auth/login/"
            assert [(await client.post(path, data=LOGIN)).status_code for _ in range(3)] == [500, 401, 200]
            await log_in(client)
            vendor.faults.set(unauthorized=1, errors=1)
            asked = [(await client.get("/cameras_service/cameras/")).status_code for _ in range(3)]
            assert asked == [500, 401, 401], "a token that was refused stays void"
            await log_in(client)
            vendor.faults.redirects = 1
            first = await client.get(f"{vendor.direct_url('events')}/events")
            assert (first.status_code, first.headers["location"]) == (307, f"{vendor.direct_url('events')}/events")

    async def test_they_are_set_over_http_one_at_a_time(self) -> None:
        async with CorsightSimulator(pace=0, faults=Faults(drops=2)) as vendor, client_of(vendor) as client:
            assert (await client.post("/faults", json={"silence": True})).json()["drops"] == 2
            assert vendor.faults == Faults(drops=2, silence=True)
            for wrong in ({"drops": -1}, {"unknown": 1}):
                assert (await client.post("/faults", json=wrong)).status_code == 422
            assert (await client.get("/faults")).json() == Faults(drops=2, silence=True).model_dump()

    async def test_a_listener_that_falls_too_far_behind_is_cut_off(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("services.ingest.simulator.streams.MAX_WAITING", 50)
        async with CorsightSimulator(pace=0) as vendor, entered(vendor) as client:
            async with listening(vendor, client) as listener:
                vendor.tell(51)
                assert await listener.hear_to_the_end() == []
            assert len(vendor.truth()["appearances"]) > 0


class TestHistory:
    async def test_pages_by_after_id_in_the_address_or_the_body(self) -> None:
        async with CorsightSimulator(pace=0) as vendor, entered(vendor) as client:
            whole = await rows(client, limit=1000)
            ids = [row["appearance_data"]["appearance_id"] for row in whole]
            assert await rows(client, limit=10, after_id=ids[9]) == whole[10:20]
            response = await client.post(
                "/history_service/history/",
                params={"limit": 10, "after_id": ids[-2], "query_db": "history_db"},
                json={},
            )
            assert response.json()["data"]["matches"] == whole[-1:]
            assert await rows(client, limit=10, after_id=ids[-1]) == []

    async def test_finished_tracks_have_an_end_and_running_ones_none(self) -> None:
        async with CorsightSimulator(pace=0) as vendor, entered(vendor) as client:
            assert all(row["appearance_data"]["utc_time_ended"] for row in await rows(client))
            running = (
                await client.post("/history_service/history/", params={"query_db": "live_db"}, json={"limit": 1000})
            ).json()["data"]["matches"]
            assert running
            assert all(row["appearance_data"]["utc_time_ended"] is None for row in running)

    async def test_windows_and_cameras_in_the_words_of_every_version(self) -> None:
        form = HistoryForm(milliseconds=True, flat=True, named=True)
        async with CorsightSimulator(pace=0, history=form) as vendor, entered(vendor) as client:
            start = clock.now() - timedelta(hours=1, minutes=5)
            window: dict[str, Any] = {
                "from": start.timestamp() * 1000,
                "till": (start + timedelta(minutes=2)).timestamp() * 1000,
            }
            camera = CAMERAS[0].camera_id
            found = await rows(client, limit=1000, cameras=[camera], **window)
            assert found == await rows(client, limit=1000, cam_ids=[camera], **window) != []
            for row in found:
                assert row["camera_data"]["camera_id"] == camera
                assert row["person_id"]
                assert "appearance_id" in row
                assert window["from"] <= row["frame_data"]["utc_time_recorded"] * 1000 <= window["till"]
            [again] = await rows(client, appearance_ids=[found[0]["appearance_id"]])
            assert again == found[0]

    @pytest.mark.parametrize(
        ("window_of", "block", "name"),
        [
            ("seen_at", "frame_data", "utc_time_recorded"),
            ("started_at", "appearance_data", "utc_time_started"),
            ("sent_at", "appearance_data", "utc_time_ended"),
        ],
    )
    async def test_a_window_is_of_the_time_that_was_chosen(self, window_of: Any, block: str, name: str) -> None:
        form = HistoryForm(window_of=window_of)
        async with CorsightSimulator(pace=0, history=form) as vendor, entered(vendor) as client:
            since = (clock.now() - timedelta(hours=1, minutes=10)).timestamp()
            window: dict[str, Any] = {"from": since, "till": since + 180}
            in_it = [row for row in await rows(client, limit=1000) if since <= row[block][name] <= since + 180]
            assert await rows(client, limit=1000, **window) == in_it != []

    async def test_odd_answers_hold_nulls(self) -> None:
        async with CorsightSimulator(pace=0, faults=Faults(odd=True)) as vendor, entered(vendor) as client:
            found = await rows(client, limit=5)
            assert found[::2] == [None] * 5
            assert None not in found[1::2]

    @pytest.mark.parametrize("asked", [{"from": "yesterday"}, {"limit": "many"}, {"query_db": "all"}])
    async def test_what_it_does_not_understand_it_refuses(self, asked: dict[str, Any]) -> None:
        async with CorsightSimulator(pace=0) as vendor, entered(vendor) as client:
            assert (await client.post("/history_service/history/", json=asked)).status_code == 422


class TestTelling:
    async def test_a_pace_is_kept_until_the_last_event(self) -> None:
        async with CorsightSimulator(pace=2000, max_events=300) as vendor:
            await vendor.finished.wait()
            assert told(vendor) == 300
            assert vendor.tell(5) == 0

    async def test_each_event_comes_in_its_time(self) -> None:
        begins_at = clock.now() - timedelta(minutes=2)
        async with CorsightSimulator(begins_at=begins_at, people_per_minute=60) as vendor:
            before = told(vendor)
            await until(lambda: told(vendor) > before)
            newest = max(fact["reported_at"] for fact in vendor.truth()["appearances"])
            assert begins_at.isoformat() < newest <= clock.now().isoformat()

    async def test_what_lies_behind_is_at_hand(self) -> None:
        async with CorsightSimulator(pace=0) as vendor, client_of(vendor) as client:
            assert (await client.post("/tell", params={"count": 7})).json() == {"told": 7}
            assert (await client.get("/oracle")).json() == vendor.truth()
            assert (await client.get("/oracle", params={"named": True})).json() == vendor.truth(named=True)
            assert (await client.get("/healthz")).is_success


class TestWebhooks:
    async def posted(self, bodies: list[bytes], **options: Any) -> list[httpx.Request]:
        """To a receiver that is away, then fails, and then takes everything."""
        requests: list[httpx.Request] = []

        def receive(request: httpx.Request) -> httpx.Response:
            requests.append(request)
            if len(requests) == 1:
                raise httpx.ConnectError("nobody there")
            return httpx.Response(503) if len(requests) == 2 else httpx.Response(202, json={"rejected": 0})

        async with httpx.AsyncClient(transport=httpx.MockTransport(receive)) as client:
            webhooks = Webhooks(client, "http://receiver/events", "known to both", **options)
            webhooks.put(bodies)
            running = asyncio.ensure_future(webhooks.run())
            await until(lambda: len(requests) == 3 + (len(bodies) - 1) // options.get("max_at_once", 200))
            running.cancel()
        assert requests[0].content == requests[1].content == requests[2].content
        return requests[2:]

    async def test_an_array_is_posted_again_until_it_is_taken(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("services.ingest.simulator.webhooks.RETRY_SECONDS", 0.0)
        [request] = await self.posted([b'{"a":1}', b'{"a":2}'])
        assert json.loads(request.content) == [{"a": 1}, {"a": 2}]
        assert request.headers["X-Webhook-Secret"] == "known to both"

    async def test_one_event_comes_bare_and_signed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("services.ingest.simulator.webhooks.RETRY_SECONDS", 0.0)
        requests = await self.posted([b'{"a":1}', b'{"a":2}'], signed=True, max_at_once=1)
        assert [request.content for request in requests] == [b'{"a":1}', b'{"a":2}']
        for request in requests:
            expected = hmac.new(b"known to both", request.content, hashlib.sha256).hexdigest()
            assert request.headers["X-Webhook-Signature"] == f"sha256={expected}"
            assert "X-Webhook-Secret" not in request.headers


class TestTls:
    async def test_its_certificate_is_trusted_by_those_who_know_it_alone(self) -> None:
        async with CorsightSimulator(pace=0, tls=True) as vendor:
            assert vendor.certificate
            assert vendor.url.startswith("https://")
            with pytest.raises(httpx.ConnectError):
                async with client_of(vendor) as client:
                    await client.get("/healthz")
            known = ssl.create_default_context(cafile=str(vendor.certificate.certificate))
            async with client_of(vendor, verify=known) as client:
                assert (await client.get("/healthz")).is_success
            address = ("127.0.0.1", httpx.URL(vendor.url).port or 443)
            shown = await asyncio.to_thread(ssl.get_server_certificate, address)
            assert hashlib.sha256(ssl.PEM_cert_to_DER_cert(shown)).hexdigest() == vendor.certificate.fingerprint


class TestCommand:
    def test_every_option_reaches_the_simulator(self) -> None:
        line = "--seed 7 --rate 50 --events 9 --port 0 --named --fault drops=2 --fault odd=true --told-host inside"
        made = simulator(parser().parse_args(line.split()), "secret")
        assert (made.seed, made.pace, made.max_events, made.told_host) == (7, 50.0, 9, "inside")
        assert made.history == HistoryForm(named=True)
        assert made.faults == Faults(drops=2, odd=True)

    @pytest.mark.parametrize("line", ["--rate 0", "--people -1", "--since 2026-03-10T12:00", "--fault dropps=1"])
    def test_a_wrong_option_is_refused(self, line: str) -> None:
        with pytest.raises(ValueError, match=r"--\w+|dropps"):
            simulator(parser().parse_args(line.split()), "secret")

    def test_it_starts_as_a_program(self) -> None:
        command = [sys.executable, "-m", "services.ingest.simulator", "--check"]
        subprocess.run(command, check=True, timeout=60)
