"""Speaking to a Corsight system: logins, redirects, layouts, and what goes wrong in plain words."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from starlette.responses import JSONResponse, PlainTextResponse
from structlog.testing import capture_logs

from services.ingest.corsight.endpoints import Service, address_of, sent_on
from services.ingest.corsight.errors import CorsightError, MisconfiguredError
from services.ingest.corsight.session import UNVERIFIED, Session
from services.ingest.corsight.settings import CorsightSettings
from services.ingest.simulator.server import CorsightSimulator
from tests.support.vendor import HISTORY_PATHS, LOGIN_PATHS, PASSWORD, USER, Vendor, serving

LOGIN, HISTORY, EVENTS = "/users_service/auth/login/", "/history_service/history/", "/events_service/events/"


def settings_of(vendor: Vendor, **others: Any) -> CorsightSettings:
    named: dict[str, Any] = {"corsight_url": vendor.url, "corsight_username": USER, "corsight_password": PASSWORD}
    return CorsightSettings(**(named | others))


@pytest_asyncio.fixture
async def vendor() -> AsyncIterator[Vendor]:
    async with serving(Vendor(rows={"history_db": []})) as running:
        yield running


async def ask(session: Session) -> bytes:
    return await session.post(Service.HISTORY, {"limit": 3, "query_db": "history_db"}, {"from": 1, "till": 2})


class TestLogin:
    async def test_it_is_a_form_and_its_token_goes_along(self, vendor: Vendor) -> None:
        async with Session(settings_of(vendor)) as session:
            await ask(session)
        [login], [asked] = vendor.of(LOGIN), vendor.of(HISTORY)
        assert login.headers["content-type"] == "application/x-www-form-urlencoded"
        assert login.body == {"username": USER, "password": PASSWORD}
        assert asked.headers["authorization"] == "Bearer token-1"

    @pytest.mark.parametrize(
        "answer",
        [
            lambda token: {"data": {"token": token}, "access_token": "another"},
            lambda token: {"metadata": {"msg": "ok"}, "data": {"token": None}, "access_token": token},
            lambda token: {"data": None, "access_token": token},
            lambda token: {"access_token": token, "expires_in": "soon"},
        ],
    )
    async def test_the_token_is_taken_from_where_it_is(self, vendor: Vendor, answer: Any) -> None:
        vendor.login = answer
        async with Session(settings_of(vendor)) as session:
            await ask(session)

    async def test_one_login_is_enough_for_all(self, vendor: Vendor) -> None:
        async with Session(settings_of(vendor)) as session:
            await asyncio.gather(*(ask(session) for _ in range(5)))
        assert len(vendor.of(LOGIN)) == 1

    async def test_before_it_ends_a_session_is_renewed(self, vendor: Vendor) -> None:
        vendor.login = lambda token: {"data": {"token": token}, "expires_in": 1e-6}
        async with Session(settings_of(vendor)) as session:
            await ask(session)
            await ask(session)
        assert [asked.headers["authorization"] for asked in vendor.of(HISTORY)] == ["Bearer token-1", "Bearer token-2"]

    async def test_when_a_session_is_refused_the_request_is_made_again_in_another(self, vendor: Vendor) -> None:
        async with Session(settings_of(vendor)) as session:
            await ask(session)
            vendor.tokens.append("of somebody else")
            await ask(session)
        first, *again = vendor.of(HISTORY)
        assert [asked.headers["authorization"][-7:] for asked in again] == ["token-1", "token-3"]
        assert {bytes(asked.body) for asked in again} == {first.body}

    async def test_what_is_refused_with_every_session_is_told(self, vendor: Vendor) -> None:
        vendor.answers[HISTORY] = JSONResponse({"metadata": {"msg": "not for you"}}, 401)
        async with Session(settings_of(vendor)) as session:
            with pytest.raises(CorsightError, match=r"the history service answers 401 Unauthorized.*not for you"):
                await ask(session)
        assert len(vendor.of(LOGIN)) == 2

    async def test_a_wrong_password_is_told(self, vendor: Vendor) -> None:
        async with Session(settings_of(vendor, corsight_password="wrong")) as session:
            with pytest.raises(CorsightError, match="Corsight refuses the password of operator"):
                await ask(session)

    @pytest.mark.parametrize("answer", [{"metadata": {"msg": "locked"}, "data": {}}, {"metadata": {"msg": "locked"}}])
    async def test_a_login_without_a_token_is_told(self, vendor: Vendor, answer: dict[str, Any]) -> None:
        vendor.answers[LOGIN] = JSONResponse(answer)
        async with Session(settings_of(vendor)) as session:
            with pytest.raises(CorsightError, match="the login gave no token: locked"):
                await ask(session)

    async def test_without_a_user_nobody_logs_in(self, vendor: Vendor) -> None:
        vendor.needs_login = False
        async with Session(settings_of(vendor, corsight_username="")) as session:
            await ask(session)
        assert vendor.of(LOGIN) == []


class TestRedirects:
    @pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "corsight.invalid"])
    async def test_whatever_host_a_redirect_names_the_one_that_answered_is_meant(
        self, vendor: Vendor, host: str
    ) -> None:
        async with serving(Vendor(needs_login=False, rows={"history_db": []})) as other:
            port = httpx.URL(other.url).port
            vendor.redirects[HISTORY] = f"http://{host}:{port}/history/"
            async with Session(settings_of(vendor)) as session:
                await ask(session)
            [asked] = other.of("/history/")
            assert asked.headers["authorization"] == "Bearer token-1"
            assert asked.query == {"limit": "3", "query_db": "history_db"}
            assert asked.body == vendor.of(HISTORY)[0].body

    async def test_where_nobody_is_on_the_port_the_host_that_was_named_is_meant(self, vendor: Vendor) -> None:
        async with serving(Vendor(needs_login=False, rows={"history_db": []}), host="127.0.0.2") as other:
            vendor.redirects[HISTORY] = f"{other.url}/history/"
            async with Session(settings_of(vendor)) as session:
                await ask(session)
            assert len(other.of("/history/")) == 1

    async def test_where_no_port_is_named_the_one_that_answered_is_meant(self, vendor: Vendor) -> None:
        vendor.redirects[HISTORY] = "http://127.0.0.1/history/"
        async with Session(settings_of(vendor)) as session:
            await ask(session)
        assert len(vendor.of("/history/")) == 1

    async def test_the_login_may_be_redirected_too(self, vendor: Vendor) -> None:
        vendor.redirects[LOGIN] = "/auth/login/"
        async with Session(settings_of(vendor)) as session:
            await ask(session)
        assert [asked.body for asked in vendor.of("/auth/login/")] == [{"username": USER, "password": PASSWORD}]

    async def test_a_circle_is_told(self, vendor: Vendor) -> None:
        vendor.redirects[HISTORY] = HISTORY
        async with Session(settings_of(vendor)) as session:
            with pytest.raises(CorsightError, match="sent on more than 5 times"):
                await ask(session)

    def test_what_is_asked_in_secret_is_never_sent_on_in_the_open(self) -> None:
        asked = httpx.URL("https://corsight.example.com/events_service/events/")
        places = sent_on(asked, "http://127.0.0.1:5005/events")
        assert [str(place) for place in places] == [
            "https://corsight.example.com:5005/events",
            "https://127.0.0.1:5005/events",
            "https://corsight.example.com/events",
        ]


class TestLayouts:
    @pytest.mark.parametrize(
        ("url", "layout", "service", "address"),
        [
            ("https://c.example.com", "gateway", Service.USERS, "https://c.example.com/users_service/auth/login/"),
            ("c.example.com/", "gateway", Service.HISTORY, "https://c.example.com/history_service/history/"),
            ("http://c:8443/vms/", "gateway", Service.EVENTS, "http://c:8443/vms/events_service/events/"),
            ("http://c", "direct", Service.USERS, "http://c:5004/auth/login/"),
            ("http://c", "direct", Service.HISTORY, "http://c:5003/history/"),
            ("http://c:5005", "direct", Service.EVENTS, "http://c:5005/events"),
            ("http://c:5005", "direct", Service.HISTORY, "http://c:5003/history/"),
            ("http://c:9000", "direct", Service.HISTORY, "http://c:9000/history/"),
        ],
    )
    def test_every_service_has_its_place(self, url: str, layout: Any, service: Service, address: str) -> None:
        assert str(address_of(CorsightSettings(corsight_url=url, corsight_layout=layout), service)) == address

    def test_a_service_may_have_a_place_of_its_own(self) -> None:
        settings = CorsightSettings(corsight_url="https://c", corsight_events_url="http://10.0.0.7:5005/prefix/")
        assert str(address_of(settings, Service.EVENTS)) == "http://10.0.0.7:5005/prefix/events"

    @pytest.mark.parametrize("url", ["", "ftp://c", "http://"])
    def test_an_address_that_is_none_is_told(self, url: str) -> None:
        with pytest.raises(MisconfiguredError, match="DWELL_CORSIGHT_URL"):
            address_of(CorsightSettings(corsight_url=url), Service.EVENTS)

    @pytest.mark.parametrize("layout", ["gateway", "direct"])
    async def test_both_layouts_are_spoken(self, vendor: Vendor, layout: Any) -> None:
        async with Session(settings_of(vendor, corsight_layout=layout)) as session:
            await ask(session)
        number = {"gateway": 1, "direct": 0}[layout]
        assert [asked.path for asked in vendor.asked] == [LOGIN_PATHS[number], HISTORY_PATHS[number]]

    async def test_the_slash_at_the_end_is_tried_both_ways(self, vendor: Vendor) -> None:
        vendor.answers[HISTORY] = PlainTextResponse("not here", 404)
        vendor.answers[HISTORY.rstrip("/")] = JSONResponse({"data": {"matches": []}})
        async with Session(settings_of(vendor)) as session:
            assert await ask(session) == b'{"data":{"matches":[]}}'


class TestPlainWords:
    async def test_nobody_there(self) -> None:
        async with Session(settings_of(Vendor(url="http://127.0.0.1:9"))) as session:
            with pytest.raises(CorsightError, match=r"cannot connect to 127\.0\.0\.1:9"):
                await ask(session)

    async def test_an_error_of_the_server(self, vendor: Vendor) -> None:
        vendor.answers[HISTORY] = PlainTextResponse("no   memory\nleft" + "!" * 1_000, 500)
        async with Session(settings_of(vendor)) as session:
            with pytest.raises(CorsightError, match=r"the history service answers 500 .*: no memory left!+") as told:
                await ask(session)
        assert len(str(told.value)) < 300
        assert not told.value.is_final

    async def test_silence(self, vendor: Vendor) -> None:
        settings = settings_of(vendor, corsight_silence_seconds=0.2)
        async with Session(settings) as session:
            with pytest.raises(CorsightError, match="fell silent"):
                async with session.stream(Service.EVENTS, {}) as response:
                    await response.aread()


class TestCertificates:
    """Of a simulator, which signs its own."""

    @pytest_asyncio.fixture
    async def simulator(self) -> AsyncIterator[CorsightSimulator]:
        async with CorsightSimulator(pace=0, tls=True) as running:
            yield running

    async def log_in(self, simulator: CorsightSimulator, **others: Any) -> None:
        named = {"corsight_url": simulator.url, "corsight_username": "dwell", "corsight_password": "simulated"}
        async with Session(CorsightSettings(**(named | others))) as session:
            await ask(session)

    async def test_one_that_nobody_vouches_for_is_refused_and_nothing_is_sent(
        self, simulator: CorsightSimulator
    ) -> None:
        with pytest.raises(CorsightError, match=r"the certificate of .* is not trusted: self-signed certificate"):
            await self.log_in(simulator)
        assert simulator.access.logins == 0

    async def test_one_whose_authority_is_named_is_trusted(self, simulator: CorsightSimulator) -> None:
        assert simulator.certificate
        await self.log_in(simulator, corsight_ca_file=str(simulator.certificate.certificate))

    async def test_one_that_is_pinned_is_trusted(self, simulator: CorsightSimulator) -> None:
        assert simulator.certificate
        digits = simulator.certificate.fingerprint.upper()
        pairs = ":".join(digits[place : place + 2] for place in range(0, len(digits), 2))
        await self.log_in(simulator, corsight_tls_fingerprint=pairs)

    async def test_another_than_the_pinned_one_is_refused_and_nothing_is_sent(
        self, simulator: CorsightSimulator
    ) -> None:
        with pytest.raises(CorsightError, match="not the pinned one"):
            await self.log_in(simulator, corsight_tls_fingerprint="00" * 32, corsight_tls_verify=False)
        assert simulator.access.logins == 0

    @pytest.mark.parametrize(
        "others", [{}, {"corsight_tls_fingerprint": "00" * 32, "corsight_tls_verify": False}], ids=["usually", "pinned"]
    )
    async def test_a_redirect_into_the_secret_is_verified_as_well(
        self, vendor: Vendor, simulator: CorsightSimulator, others: dict[str, Any]
    ) -> None:
        vendor.redirects[LOGIN] = f"{simulator.url}{LOGIN}"
        with pytest.raises(CorsightError, match=r"the certificate of .* is not trusted"):
            await self.log_in(simulator, corsight_url=vendor.url, **others)
        assert simulator.access.logins == 0

    async def test_verification_can_be_switched_off_aloud(self, simulator: CorsightSimulator) -> None:
        with capture_logs() as logged:
            await self.log_in(simulator, corsight_tls_verify=False)
        assert {"event": UNVERIFIED, "log_level": "warning"} in logged

    async def test_a_file_of_authorities_that_is_not_there_is_a_mistake(self, simulator: CorsightSimulator) -> None:
        with pytest.raises(MisconfiguredError, match="DWELL_CORSIGHT_CA_FILE /nowhere"):
            await self.log_in(simulator, corsight_ca_file="/nowhere")
