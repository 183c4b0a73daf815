"""``python -m tests.benchmarks.empty_handler``: reads the body of a webhook and answers, as the limit."""

import os

from fastapi import FastAPI, Request, Response

from services.common.health import health_router
from services.common.runner import run, serve

PORT = "DWELL_EMPTY_HANDLER_PORT"

app = FastAPI(openapi_url=None)
app.include_router(health_router({}))


@app.post("/webhooks/corsight", status_code=202)
async def receive(request: Request) -> Response:
    await request.body()
    return Response(status_code=202)


async def serving() -> None:
    await serve(app, "127.0.0.1", int(os.environ[PORT]))


if __name__ == "__main__":
    run("empty", serving)
