"""The vendor's HTTP interface, and our own to look behind it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, get_args

import msgspec
from fastapi import APIRouter, Depends, FastAPI, Form, Request
from fastapi import Query as Parameter
from fastapi.responses import JSONResponse, RedirectResponse, Response

from services.ingest.layout import CAMERAS
from services.ingest.simulator.access import Access, Refused, refusal
from services.ingest.simulator.records import Database, Query, WindowOf
from services.ingest.simulator.shapes import camera_data
from services.ingest.simulator.streams import StreamResponse, Streams
from services.ingest.simulator.vendor import Vendor

SERVICES = ("cameras", "history", "users", "events")
"""Each has a port of its own, and a prefix at the gateway's."""

MAX_ROWS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryForm:
    """How this version of the vendor's history speaks; by which time of a track it finds it is not documented."""

    milliseconds: bool = False
    flat: bool = False
    named: bool = False
    window_of: WindowOf = "seen_at"


@dataclass(frozen=True)
class Api:
    vendor: Vendor
    access: Access
    streams: Streams
    form: HistoryForm
    stream_url: str
    """Where the gateway sends those who ask for the stream; not always an address that they can reach."""

    def direct(self, service: str) -> FastAPI:
        app = _app()
        app.include_router(self._router(service, is_gateway=False))
        return app

    def gateway(self) -> FastAPI:
        """Also without the prefixes, for those who reach every service directly but at one port."""
        app = _app()
        for service in SERVICES:
            app.include_router(self._router(service, is_gateway=True), prefix=f"/{service}_service")
            app.include_router(self._router(service, is_gateway=False))
        app.include_router(self._behind())
        return app

    def _router(self, service: str, *, is_gateway: bool) -> APIRouter:
        router = APIRouter()
        entered = [Depends(self.access.enter)]
        match service:
            case "users":
                router.add_api_route("/auth/login/", self._login, methods=["POST"])
            case "cameras":
                router.add_api_route("/cameras/", self._cameras, methods=["GET"], dependencies=entered)
            case "history":
                router.add_api_route("/history/", self._history, methods=["POST"], dependencies=entered)
            case "events":
                listen = self._elsewhere if is_gateway else self._listen
                for path in ("/events", "/events/"):
                    router.add_api_route(path, listen, methods=["GET"], dependencies=entered, response_class=Response)
        return router

    async def _login(
        self,
        username: Annotated[str, Form()],
        password: Annotated[str, Form()],
        session_time: Annotated[float | None, Form(gt=0)] = None,
    ) -> dict[str, Any]:
        await self.access.work()
        answer = self.access.login(username, password, session_time)
        if self.vendor.faults.one_session:
            self.streams.end()
        return answer

    async def _cameras(self) -> dict[str, Any]:
        cameras = [
            {**camera_data(camera), "description": camera.description, "camera_status": {"status": 1}}
            for camera in CAMERAS
        ]
        return {"metadata": {"msg": "success"}, "data": {"cameras": cameras}}

    async def _history(self, request: Request) -> Response:
        query = self._query(request.query_params, await request.json())
        shapes = self.vendor.shapes
        rows: list[Any] = [
            shapes.row(report, flat=self.form.flat, named=self.form.named)
            for _, report in self.vendor.records.find(query)
        ]
        if self.vendor.faults.odd:
            rows = [each for row in rows for each in (None, row)]
        answer = {"metadata": {"msg": "success"}, "data": {"matches": rows}}
        return Response(msgspec.json.encode(answer), media_type="application/json")

    def _query(self, parameters: Mapping[str, str], body: Any) -> Query:
        if not isinstance(body, dict):
            raise Refused(422, "the body is no object")
        asked = {**body, **parameters}
        database: Database = asked.get("query_db", "history_db")
        if database not in get_args(Database):
            raise Refused(422, f"query_db is {database}")
        try:
            return Query(
                database,
                self._instant(asked.get("from")),
                self._instant(asked.get("till")),
                frozenset(asked.get("cameras") or asked.get("cam_ids") or ()),
                frozenset(asked.get("appearance_ids") or ()),
                asked.get("after_id") or None,
                min(int(asked.get("limit", 100)), MAX_ROWS),
                self.form.window_of,
            )
        except (TypeError, ValueError, OverflowError) as error:
            raise Refused(422, f"a field is wrong: {error}") from error

    def _instant(self, value: float | None) -> datetime | None:
        if value is None:
            return None
        return datetime.fromtimestamp(value / 1000 if self.form.milliseconds else value, UTC)

    async def _elsewhere(self) -> Response:
        return RedirectResponse(self.stream_url, 307)

    async def _listen(self, request: Request) -> Response:
        faults = self.vendor.faults
        if faults.redirects:
            faults.redirects -= 1
            return RedirectResponse(self.stream_url, 307)
        return StreamResponse(self.streams, faults)

    def _behind(self) -> APIRouter:
        router = APIRouter()
        router.add_api_route("/healthz", _alive, methods=["GET"])
        router.add_api_route("/oracle", self._oracle, methods=["GET"])
        router.add_api_route("/faults", self._read_faults, methods=["GET"])
        router.add_api_route("/faults", self._set_faults, methods=["POST"])
        router.add_api_route("/tell", self._tell, methods=["POST"])
        return router

    async def _oracle(self, named: bool = False) -> Response:
        return Response(msgspec.json.encode(self.vendor.truth(named=named)), media_type="application/json")

    async def _read_faults(self) -> dict[str, Any]:
        return self.vendor.faults.model_dump()

    async def _set_faults(self, wanted: dict[str, Any]) -> Response:
        """Those that are named; the others stay as they are."""
        try:
            self.vendor.faults.set(**wanted)
        except ValueError as error:
            raise Refused(422, str(error)) from error
        return JSONResponse(self.vendor.faults.model_dump())

    async def _tell(self, count: Annotated[int, Parameter(ge=1)]) -> dict[str, int]:
        return {"told": self.vendor.tell(count)}


async def _alive() -> dict[str, str]:
    return {"status": "alive"}


def _app() -> FastAPI:
    app = FastAPI(openapi_url=None, redirect_slashes=False)
    app.add_exception_handler(Refused, refusal)
    return app
