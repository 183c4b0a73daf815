"""An upload with the whole backend behind it: what its phases and its end promise holds at that very moment."""

from typing import Any

import pytest

from tests import oracle
from tests.support import stored
from tests.support.pipeline import Pipeline
from tests.support.raw_files import AppearanceFile
from tests.support.uploads import HEADER, rows
from tests.support.waiting import wait_until

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def comes_to(pipeline: Pipeline, upload: dict[str, Any], **wanted: Any) -> Any:
    async def found() -> Any:
        upload_now = await pipeline.get(f"/api/v1/uploads/{upload['upload_id']}", {})
        return upload_now if wanted.items() <= upload_now.items() else None

    return await wait_until(found, 60)


async def shows(pipeline: Pipeline, camera: str, reports: list[dict[str, Any]]) -> None:
    """At once, without waiting."""
    sessions = oracle.sessions(oracle.appearances(oracle.reports(reports)))
    minutes = oracle.occupancy_minutes(sessions)
    assert await stored.sessions(pipeline.database, [camera]) == stored.expected(sessions, stored.SESSION)
    assert await stored.minutes(pipeline.database, [camera]) == stored.expected(minutes, stored.MINUTE)


async def test_what_is_done_is_in_the_tables_behind_the_charts(pipeline: Pipeline) -> None:
    content = (HEADER + rows("done-camera", 300)).encode()
    upload = await pipeline.upload("done.csv", content)
    assert (upload["status"], upload["phase"]) == ("completed", "settling")
    await comes_to(pipeline, upload, phase="done")
    await shows(pipeline, "done-camera", AppearanceFile(content).accepted)


async def test_a_withdrawn_upload_takes_back_what_it_alone_brought(pipeline: Pipeline) -> None:
    kept = (HEADER + rows("undone-camera", 20)).encode()
    undone = (HEADER + rows("undone-camera", 20, 10)).encode()
    first, second = await pipeline.upload("kept.csv", kept), await pipeline.upload("undone.csv", undone)
    await comes_to(pipeline, second, phase="done")
    await shows(pipeline, "undone-camera", AppearanceFile(kept).accepted + AppearanceFile(undone).accepted)

    await pipeline.delete(f"/api/v1/uploads/{second['upload_id']}")
    await comes_to(pipeline, second, status="withdrawn")
    await shows(pipeline, "undone-camera", AppearanceFile(kept).accepted)

    again = await pipeline.upload("undone.csv", undone)
    assert (again["status"], again["duplicate"]) == ("completed", False)
    await comes_to(pipeline, again, phase="done")
    await comes_to(pipeline, first, phase="done")
    await shows(pipeline, "undone-camera", AppearanceFile(kept).accepted + AppearanceFile(undone).accepted)
