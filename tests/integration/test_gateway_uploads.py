"""Uploads on real servers: what is taken, what is refused and why, and that nothing is lost on the way."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from services.common import clock
from services.common.events.appearances import Appearance
from services.common.events.insights import InsightEvent
from services.common.events.quarantine import Quarantined
from services.common.kafka.producer import EventProducer, PublishError
from services.common.topics import Topic
from services.gateway.app import MAX_CONNECTIONS
from services.gateway.dependencies import Resources
from services.gateway.uploads import progress
from services.gateway.uploads.queue import QUEUE
from services.gateway.uploads.receive import ReceivedFile
from services.gateway.uploads.retention import remove_old_files
from services.gateway.uploads.store import FolderStore
from tests.support.databases import fresh_database
from tests.support.environment import ADMIN_EMAIL, environment
from tests.support.gateway import Gateway, gateway_settings, running_gateway
from tests.support.kafka import make_topics_empty, read_items
from tests.support.processes import ServiceProcesses
from tests.support.servers import Servers
from tests.support.uploads import HEADER, bad_rows, finished, items_of, pretend_that_all_is_read, rows
from tests.support.waiting import wait_until

# One gateway for all tests here: each test uploads bytes and names cameras of its own.
pytestmark = pytest.mark.asyncio(loop_scope="module")

INLINE_LIMIT = 20_000
UPLOAD_LIMIT = 2_000_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("uploads")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def env(servers: Servers, folder: Path) -> AsyncIterator[dict[str, str]]:
    await make_topics_empty(servers.kafka)
    async with Redis.from_url(servers.redis) as redis:
        await redis.flushall()
    async with fresh_database(servers.postgres) as database:
        yield {
            **environment(servers, database, folder / "home"),
            "DWELL_INLINE_LIMIT_BYTES": str(INLINE_LIMIT),
            "DWELL_MAX_UPLOAD_BYTES": str(UPLOAD_LIMIT),
            # Files of a few rows, most of them bad, are taken here without a question.
            "DWELL_UPLOAD_REJECT_LIMIT": "0.9",
        }


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(env: dict[str, str]) -> AsyncIterator[Gateway]:
    async with running_gateway(gateway_settings(env)) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def worker(env: dict[str, str], folder: Path) -> AsyncIterator[None]:
    """Runs from the first test that asks for it to the end of the module."""
    async with ServiceProcesses(env, folder / "log") as processes:
        processes.spawn(
            "worker", "-m", "celery", "--app=services.gateway.uploads.tasks:app", "worker", "--concurrency=1"
        )
        yield


def raw_folder(gateway: Gateway) -> Path:
    return gateway.settings.home / "raw"


def stored(gateway: Gateway, sha256: str) -> Path:
    return FolderStore(raw_folder(gateway)).path(sha256)


def adds_up(upload: dict[str, Any]) -> bool:
    return bool(
        upload["rows_total"] == upload["rows_accepted"] + upload["rows_rejected"]
        and upload["rows_rejected"] == sum(upload["rejects_by_reason"].values())
    )


async def test_a_small_file_is_in_kafka_and_summed_up_when_the_answer_comes(gateway: Gateway) -> None:
    content = (HEADER + rows("small", 3)).encode()
    answer = await gateway.upload(content, "../day one.csv")
    upload = answer.json()
    assert answer.status_code == 201
    assert upload["status"] == "completed"
    assert (upload["file_name"], upload["kind"], upload["uploaded_by"]) == ("day one.csv", "appearances", ADMIN_EMAIL)
    assert (upload["rows_total"], upload["rows_accepted"], upload["rows_rejected"]) == (3, 3, 0)
    assert upload["bytes_done"] == upload["bytes_total"] == len(content)
    assert upload["summary"]["visitors"] == 3
    assert upload["summary"]["dwell_avg_seconds"] == 10.0

    published: list[Appearance] = items_of(
        await read_items(gateway.settings.kafka_bootstrap, Topic.APPEARANCES), "small"
    )
    assert [item.source for item in published] == [f"upload:{upload['upload_id']}#{row}" for row in (2, 3, 4)]
    assert [item.appearance_key for item in published] == ["small-0", "small-1", "small-2"]
    assert stored(gateway, upload["sha256"]).read_bytes() == content
    assert await gateway.get(f"uploads/{upload['upload_id']}") == upload


async def test_a_bad_row_goes_to_quarantine_with_its_reason_and_stops_no_good_one(gateway: Gateway) -> None:
    content = HEADER + rows("mixed", 2) + ",mixed,k,2026-03-10 10:00,2026-03-10 10:01,\n"
    content += "p1,mixed,k,yesterday,2026-03-10 10:01,\n" + rows("mixed", 1, 2) + "p1,mixed\n"
    content += "p1,mixed,k,2026-03-10 10:01,2026-03-10 10:00,\n" + 'p9,mixed,"k,2026-03-10 10:0'
    upload = (await gateway.upload(content.encode())).json()
    assert (upload["rows_total"], upload["rows_accepted"]) == (8, 3)
    assert upload["rejects_by_reason"] == {
        "missing_person": 1,
        "bad_timestamp": 1,
        "negative_dwell": 1,
        "wrong_field_count": 2,
    }
    assert adds_up(upload)
    found = await read_items(gateway.settings.kafka_bootstrap, Topic.QUARANTINE)
    refused = {
        item.source.split("#")[1]: (item.reason_code, item.raw)
        for item in cast(list[Quarantined], found)
        if item.source.startswith(f"upload:{upload['upload_id']}#")
    }
    assert set(refused) == {"4", "5", "7", "8", "9"}
    assert refused["4"] == ("missing_person", b",mixed,k,2026-03-10 10:00,2026-03-10 10:01,")
    assert refused["9"] == ("wrong_field_count", b'p9,mixed,"k,2026-03-10 10:0')


@pytest.mark.parametrize(
    ("content", "status", "found"),
    [
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 10, 415, "PNG image"),
        (b"PK\x03\x04" + bytes(500), 415, "Excel"),
        (b"person_id,utc_time_started,utc_time_ended\np1,1,2\n", 422, "camera_id"),
        (b"", 422, "empty"),
        (HEADER.encode(), 422, "no rows"),
    ],
)
async def test_a_file_that_cannot_be_taken_is_refused_whole_and_told_why(
    gateway: Gateway, content: bytes, status: int, found: str
) -> None:
    answer = await gateway.upload(content, "day.csv")
    assert answer.status_code == status
    assert found in answer.json()["detail"]
    newest = (await gateway.get("uploads", limit=1))["items"][0]
    assert (newest["status"], newest["error"]) == ("failed", answer.json()["detail"])
    assert stored(gateway, newest["sha256"]).exists() is (status != 415)
    assert (await gateway.upload(content, "day.csv")).status_code == status


async def test_a_file_above_the_limit_is_refused_and_leaves_nothing(gateway: Gateway) -> None:
    before = len(list(raw_folder(gateway).rglob("*")))
    answer = await gateway.upload(b"x" * (UPLOAD_LIMIT + 1))
    assert answer.status_code == 413
    assert len(list(raw_folder(gateway).rglob("*"))) == before


async def test_the_same_bytes_again_are_the_first_upload(gateway: Gateway) -> None:
    content = (HEADER + rows("twice", 2)).encode()
    first = (await gateway.upload(content, "first.csv")).json()
    again = await gateway.upload(content, "second.csv", timezone="Asia/Jakarta")
    assert (again.status_code, again.json()) == (200, {**first, "duplicate": True})
    assert len(items_of(await read_items(gateway.settings.kafka_bootstrap, Topic.APPEARANCES), "twice")) == 2


async def test_twins_that_come_at_once_are_one_upload(gateway: Gateway) -> None:
    content = (HEADER + rows("twins", 50)).encode()
    answers = await asyncio.gather(*(gateway.upload(content) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 200, 201]
    assert len({answer.json()["upload_id"] for answer in answers}) == 1
    assert len(items_of(await read_items(gateway.settings.kafka_bootstrap, Topic.APPEARANCES), "twins")) == 50


async def test_more_uploads_at_once_than_there_are_connections_all_come_through(gateway: Gateway) -> None:
    contents = [(HEADER + rows(f"crowd{number}", 2)).encode() for number in range(2 * MAX_CONNECTIONS)]
    answers = await asyncio.gather(*(gateway.upload(content) for content in contents))
    assert {answer.status_code for answer in answers} == {201}


async def test_times_without_a_zone_are_in_the_zone_that_the_upload_names(gateway: Gateway) -> None:
    content = HEADER + "p1,zoned,k1,2026-07-01 10:00,2026-07-01 10:01,male\n"
    upload = (await gateway.upload(content.encode(), timezone="America/New_York")).json()
    assert (upload["timezone"], upload["summary"]["peak_hour"]) == ("America/New_York", "2026-07-01T10:00:00-04:00")
    [item] = items_of(await read_items(gateway.settings.kafka_bootstrap, Topic.APPEARANCES), "zoned")
    assert item.started_at == datetime(2026, 7, 1, 14, tzinfo=UTC)


async def test_a_zone_that_is_none_is_refused_and_nothing_is_stored(gateway: Gateway) -> None:
    before = len(list(raw_folder(gateway).rglob("*")))
    answer = await gateway.upload((HEADER + rows("mars", 1)).encode(), timezone="Mars/Olympus")
    assert answer.status_code == 422
    assert len(list(raw_folder(gateway).rglob("*"))) == before


async def test_a_packed_file_is_taken_like_a_plain_one(gateway: Gateway) -> None:
    upload = (await gateway.upload(gzip.compress((HEADER + rows("packed", 4)).encode()), "day.csv.gz")).json()
    assert (upload["status"], upload["rows_accepted"]) == ("completed", 4)


async def test_a_broken_element_of_a_report_harms_no_other(gateway: Gateway) -> None:
    elements = [
        {"event_id": f"i{number}", "camera_id": "crowded", "utc_time_recorded": 1_773_140_000 + number}
        for number in range(3)
    ]
    content = "[" + ",".join([json.dumps(elements[0]), '{"event_id": "x", "camera_id": }', json.dumps(elements[1])])
    content += "," + json.dumps({**elements[2], "utc_time_recorded": "never"}) + "]"
    answer = await gateway.upload(content.encode(), "report.json")
    upload = answer.json()
    assert (answer.status_code, upload["kind"]) == (201, "insights")
    assert (upload["rows_total"], upload["rows_accepted"]) == (4, 2)
    assert upload["rejects_by_reason"] == {"bad_json": 1, "bad_timestamp": 1}
    assert upload["summary"]["insights"] == 2
    found: list[InsightEvent] = items_of(await read_items(gateway.settings.kafka_bootstrap, Topic.INSIGHTS), "crowded")
    assert [item.insight_id for item in found] == ["i0", "i1"]


async def test_what_kafka_does_not_acknowledge_is_not_acknowledged_and_may_come_again(gateway: Gateway) -> None:
    class AwayProducer:
        async def publish(self, *_: object) -> None:
            raise PublishError("away")

    content = (HEADER + rows("away", 2)).encode()
    opened: Resources = gateway.app.state.resources
    gateway.app.state.resources = replace(opened, producer=cast(EventProducer, AwayProducer()))
    refused = await gateway.upload(content)
    gateway.app.state.resources = opened
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
    failed = (await gateway.get("uploads", limit=1))["items"][0]
    assert (failed["status"], failed["rows_accepted"]) == ("failed", 0)

    answer = await gateway.upload(content)
    assert (answer.status_code, answer.json()["upload_id"]) == (201, failed["upload_id"])
    assert answer.json()["error"] is None


async def test_a_queue_that_redis_lost_is_filled_again_from_the_database(gateway: Gateway, servers: Servers) -> None:
    answer = await gateway.upload((HEADER + rows("flushed", 700)).encode())
    assert answer.status_code == 202
    async with Redis.from_url(servers.redis) as redis:
        # No worker runs yet: what is put into the queue stays there.
        await wait_until(lambda: redis.llen(QUEUE))
        await redis.flushall()
        await gateway.app.state.resources.feeder.feed()
        assert await redis.llen(QUEUE) == 1
        await gateway.app.state.resources.feeder.feed()
        assert await redis.llen(QUEUE) == 1


async def test_a_large_file_is_queued_worked_on_and_followed_to_its_end(gateway: Gateway, worker: None) -> None:
    content = (HEADER + rows("large", 600) + "broken\n").encode()
    assert len(content) > INLINE_LIMIT
    answer = await gateway.upload(content)
    upload = answer.json()
    assert (answer.status_code, upload["status"], upload["summary"]) == (202, "received", None)

    following = asyncio.create_task(gateway.http.get(f"/api/v1/uploads/{upload['upload_id']}/events"))
    done = await finished(gateway, upload["upload_id"])
    assert (done["status"], done["phase"]) == ("completed", "settling")
    assert (done["rows_total"], done["rows_accepted"]) == (601, 600)
    assert done["bytes_done"] == done["bytes_total"]
    assert done["summary"]["visitors"] == 600
    assert len(items_of(await read_items(gateway.settings.kafka_bootstrap, Topic.APPEARANCES), "large")) == 600
    assert (await gateway.upload(content)).json() == {**done, "duplicate": True}

    await pretend_that_all_is_read(gateway)
    events = await following
    assert events.headers["content-type"].startswith("text/event-stream")
    shown = [json.loads(line[5:]) for line in events.text.splitlines() if line.startswith("data:")]
    assert all(adds_up(state) for state in shown)
    assert shown[-2:] == [done, {**done, "phase": "done"}]


async def test_a_packed_file_is_small_by_what_is_in_all_of_its_parts(gateway: Gateway, worker: None) -> None:
    parts = (HEADER, rows("parts", 700), rows("parts", 1, 700))
    packed = b"".join(gzip.compress(part.encode()) for part in parts)
    assert len(packed) < INLINE_LIMIT
    answer = await gateway.upload(packed, "day.csv.gz")
    assert (answer.status_code, answer.json()["status"]) == (202, "received")
    assert (await finished(gateway, answer.json()["upload_id"]))["rows_accepted"] == 701


async def test_a_large_file_that_cannot_be_taken_is_refused_at_once(gateway: Gateway) -> None:
    answer = await gateway.upload(b"person_id,utc_time_started,utc_time_ended\n" + b"p1,1,2\n" * 5_000)
    assert (answer.status_code, "camera_id" in answer.json()["detail"]) == (422, True)


async def test_what_a_dead_process_left_is_taken_up_again(gateway: Gateway, worker: None) -> None:
    content = (HEADER + rows("orphan", 5)).encode()
    with FolderStore(raw_folder(gateway)).incoming() as incoming:
        incoming.write(content)
        sha256 = incoming.keep()
    file = ReceivedFile(sha256, len(content), "orphan.csv", {})
    left = await progress.claim(gateway.database, file, "UTC", "appearances", ADMIN_EMAIL, is_small=True)
    assert left is not None

    gateway.app.state.resources.feeder.wake()
    upload = await finished(gateway, left.upload.upload_id)
    assert (upload["status"], upload["rows_total"], upload["rows_accepted"]) == ("completed", 5, 5)


async def test_what_somebody_works_on_is_not_queued(gateway: Gateway) -> None:
    file = ReceivedFile("ab" * 32, 10, "held.csv", {})
    held = await progress.claim(gateway.database, file, "UTC", "appearances", ADMIN_EMAIL, is_small=True)
    assert held is not None
    upload_id = held.upload.upload_id
    async with progress.working_on(gateway.database, upload_id) as mine:
        async with progress.working_on(gateway.database, upload_id) as second:
            assert mine is not None
            assert second is None
        assert (await progress.unfinished_uploads(gateway.database))[upload_id] is True
    assert (await progress.unfinished_uploads(gateway.database))[upload_id] is False
    await progress.fail(gateway.database, upload_id, "done with")


async def test_the_history_is_paged_newest_first(gateway: Gateway) -> None:
    for number in range(3):
        await gateway.upload((HEADER + rows(f"paged{number}", 1)).encode(), f"{number}.csv")
    everything = (await gateway.get("uploads", limit=200))["items"]
    assert [upload["file_name"] for upload in everything[:3]] == ["2.csv", "1.csv", "0.csv"]
    paged: list[Any] = []
    cursor: dict[str, str] = {}
    while True:
        page = await gateway.get("uploads", limit=2, **cursor)
        paged += page["items"]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert paged == everything


async def test_the_history_shows_the_statuses_that_are_asked_for(gateway: Gateway) -> None:
    completed = (await gateway.upload((HEADER + rows("good", 1)).encode())).json()
    held = (await gateway.upload((HEADER + rows("mixed", 1) + bad_rows("mixed", 1)).encode())).json()
    await gateway.upload(b"a,b\n1,2\n")
    newest_failed = (await gateway.get("uploads", status="failed", limit=1))["items"][0]
    assert (newest_failed["status"], newest_failed["created_at"] > held["created_at"]) == ("failed", True)

    both = await gateway.get("uploads", status=["needs_decision", "completed"], limit=1)
    assert [upload["upload_id"] for upload in both["items"]] == [held["upload_id"]]
    both = await gateway.get("uploads", status=["needs_decision", "completed"], limit=1, cursor=both["next_cursor"])
    assert [upload["upload_id"] for upload in both["items"]] == [completed["upload_id"]]
    assert (await gateway.http.get("/api/v1/uploads", params={"status": "lost"})).status_code == 422


async def test_an_upload_leaves_its_trace_in_the_audit(gateway: Gateway) -> None:
    upload = (await gateway.upload((HEADER + rows("audited", 1)).encode(), "audited.csv")).json()
    row = await gateway.database.fetchrow("SELECT * FROM audit WHERE target = $1", upload["upload_id"])
    assert row is not None
    assert (row["actor"], row["action"], row["detail"]) == (ADMIN_EMAIL, "upload", {"file_name": "audited.csv"})


async def test_an_old_raw_file_goes_with_what_could_be_done_with_it(gateway: Gateway) -> None:
    upload = (await gateway.upload((HEADER + rows("old", 2)).encode())).json()
    store = FolderStore(raw_folder(gateway))
    with store.incoming() as incoming:
        incoming.write((HEADER + rows("needed", 2)).encode())
        file = ReceivedFile(incoming.keep(), incoming.size, "needed.csv", {})
    waiting = await progress.claim(gateway.database, file, "UTC", "appearances", ADMIN_EMAIL, is_small=True)
    assert waiting is not None
    async with progress.working_on(gateway.database, waiting.upload.upload_id):
        assert await remove_old_files(gateway.database, store, clock.now() - timedelta(hours=1)) == 0
        assert await remove_old_files(gateway.database, store, clock.now() + timedelta(hours=1)) > 0
    assert (store.exists(upload["sha256"]), store.exists(file.sha256)) == (False, True)
    await progress.fail(gateway.database, waiting.upload.upload_id, "done with")

    refused = await gateway.http.delete(f"/api/v1/uploads/{upload['upload_id']}")
    assert (refused.status_code, refused.json()["detail"]) == (409, "The raw file is gone.")


async def test_an_upload_that_does_not_exist_is_not_found(gateway: Gateway) -> None:
    for path in ("", "/events", "/rejects.csv"):
        answer = await gateway.http.get(f"/api/v1/uploads/00000000-0000-0000-0000-000000000000{path}")
        assert answer.status_code == 404
