"""The built dashboard, served by the gateway itself."""

from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocketClose

_HASHED_ASSETS = "assets/"


class Frontend(StaticFiles):
    """Files of the build; any other path that is not the interface's is a page of the dashboard: index.html."""

    def __init__(self, dist: Path) -> None:
        super().__init__(directory=dist, html=True)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await WebSocketClose()(scope, receive, send)
            return
        await super().__call__(scope, receive, send)

    async def get_response(self, path: str, scope: Scope) -> Response:
        if scope["path"] == "/api" or scope["path"].startswith("/api/"):
            raise HTTPException(404)
        try:
            response = await super().get_response(path, scope)
        except HTTPException as error:
            # A missing script must not come back as a page: the browser would try to run it.
            if error.status_code != 404 or path.startswith(_HASHED_ASSETS):
                raise
            response = await super().get_response("index.html", scope)
            path = "index.html"
        hashed = path.startswith(_HASHED_ASSETS)
        response.headers["cache-control"] = "public, max-age=31536000, immutable" if hashed else "no-cache"
        return response
