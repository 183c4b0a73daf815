"""An upload on its way from its bytes to the charts: held, cancelled, taken up again, settled, on real servers."""

import asyncio
import hashlib
import json
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from services.common.corsight.csv import CHUNK_ROWS
from services.common.kafka.producer import EventProducer, PublishError
from services.common.postgres import SERVER_AWAY
from services.common.topics import Topic
from services.gateway.dependencies import Resources
from services.gateway.models import Upload
from services.gateway.uploads import following, progress, queue
from services.gateway.uploads.queue import QUEUE
from services.gateway.uploads.receive import ReceivedFile
from services.gateway.uploads.work import work_on
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


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def env(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[dict[str, str]]:
    await make_topics_empty(servers.kafka)
    async with Redis.from_url(servers.redis) as redis:
        await redis.flushall()
    async with fresh_database(servers.postgres) as database:
        home = tmp_path_factory.mktemp("flow") / "home"
        yield {**environment(servers, database, home), "DWELL_INLINE_LIMIT_BYTES": str(INLINE_LIMIT)}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(env: dict[str, str]) -> AsyncIterator[Gateway]:
    async with running_gateway(gateway_settings(env)) as running:
        yield running


async def act(gateway: Gateway, upload: dict[str, Any], name: str, status: int = 200, **body: str) -> Any:
    answer = await gateway.http.post(f"/api/v1/uploads/{upload['upload_id']}/{name}", json=body or None)
    assert answer.status_code == status, answer.text
    return answer.json()


async def published(gateway: Gateway, camera: str) -> Counter[str]:
    items = items_of(await read_items(gateway.settings.kafka_bootstrap, Topic.APPEARANCES), camera)
    return Counter(item.source for item in items)


async def worked_on(gateway: Gateway, upload: dict[str, Any], producer: Any = None) -> Upload | None:
    """As the worker does it, with no worker in the way."""
    opened: Resources = gateway.app.state.resources
    given = cast(EventProducer, producer) if producer else opened.producer
    return await work_on(upload["upload_id"], opened.db, given, opened.store, opened.settings, opened.announcer.tell)


class Between:
    """The gateway's producer; does something once, right after the first chunk of appearances is acknowledged."""

    def __init__(self, gateway: Gateway, act: Any) -> None:
        self._producer: EventProducer = gateway.app.state.resources.producer
        self._act = act

    async def publish(self, topic: Topic, items: Iterable[Any], source: str) -> dict[int, int]:
        behind = await self._producer.publish(topic, items, source)
        if topic is Topic.APPEARANCES and self._act:
            once, self._act = self._act, None
            await once()
        return behind


class AwayProducer:
    async def publish(self, *_: object) -> None:
        raise PublishError("away")


async def test_a_small_file_with_too_many_refusals_waits_and_its_good_rows_can_be_imported(gateway: Gateway) -> None:
    answer = await gateway.upload((HEADER + rows("held", 8) + bad_rows("held", 2)).encode())
    held = answer.json()
    assert (answer.status_code, held["status"], held["phase"]) == (201, "needs_decision", "parsing")
    assert (held["rows_total"], held["rows_accepted"], held["rows_rejected"]) == (10, 8, 2)
    assert held["rows_waiting"] == 8
    assert (held["reject_share"], held["rejects_by_reason"]) == (0.2, {"missing_person": 2})
    assert not await published(gateway, "held")
    assert len(items_of(await read_items(gateway.settings.kafka_bootstrap, Topic.QUARANTINE), "held")) == 2

    imported = await act(gateway, held, "decision", choice="import")
    assert (imported["status"], imported["phase"], imported["rows_accepted"]) == ("completed", "settling", 8)
    assert imported["rows_waiting"] == 0
    assert imported["summary"]["visitors"] == 8
    assert (await published(gateway, "held")).total() == 8
    await act(gateway, held, "decision", 409, choice="import")


async def test_rows_of_recorded_video_go_a_way_of_their_own_and_come_back_by_it(gateway: Gateway) -> None:
    async def keys(topic: Topic, *, withdrawn: bool) -> list[str]:
        items = items_of(await read_items(gateway.settings.kafka_bootstrap, topic), "recorded")
        return [item.appearance_key for item in items if item.withdrawn is withdrawn]

    live, recorded = rows("recorded", 2).splitlines()
    text = f"{HEADER.strip()},analysis_mode\n{live},live\n{recorded},forensics\n"
    upload = (await gateway.upload(text.encode())).json()
    assert (upload["status"], upload["rows_accepted"], upload["summary"]["visitors"]) == ("completed", 2, 1)
    [warning] = upload["warnings"]
    assert warning.startswith("1 row is of recorded video (forensic), which is kept apart from live figures")
    assert (await follow(gateway, upload))[-1]["phase"] == "done"
    await gateway.http.delete(f"/api/v1/uploads/{upload['upload_id']}")
    for withdrawn in (False, True):
        assert await keys(Topic.APPEARANCES, withdrawn=withdrawn) == ["recorded-0"]
        assert await keys(Topic.APPEARANCES_FORENSIC, withdrawn=withdrawn) == ["recorded-1"]


async def test_rows_of_a_held_file_that_was_cancelled_or_failed_after_all_are_not_said_to_be_in(
    gateway: Gateway,
) -> None:
    held = (await gateway.upload((HEADER + rows("never", 8) + bad_rows("never", 2)).encode())).json()
    cancelled = await act(gateway, held, "cancel")
    assert (cancelled["status"], cancelled["rows_total"], cancelled["rows_accepted"]) == ("cancelled", 2, 0)

    held = (await gateway.upload((HEADER + rows("nearly", 8) + bad_rows("nearly", 2)).encode())).json()
    opened: Resources = gateway.app.state.resources
    gateway.app.state.resources = replace(opened, producer=cast(EventProducer, AwayProducer()))
    await act(gateway, held, "decision", 503, choice="import")
    gateway.app.state.resources = opened
    failed = await gateway.get(f"uploads/{held['upload_id']}")
    assert (failed["status"], failed["rows_accepted"], failed["rows_rejected"]) == ("failed", 0, 2)
    assert (await act(gateway, held, "retry"))["rows_accepted"] == 8


async def test_an_upload_that_is_dropped_brings_nothing_and_may_come_again(gateway: Gateway) -> None:
    content = (HEADER + rows("dropped", 8) + bad_rows("dropped", 2)).encode()
    held = (await gateway.upload(content)).json()
    assert (await gateway.upload(content)).json() == {**held, "duplicate": True}
    dropped = await act(gateway, held, "decision", choice="drop")
    assert dropped["withdrawing"]
    await pretend_that_all_is_read(gateway)
    upload = await finished(gateway, held["upload_id"])
    assert (upload["status"], upload["phase"], upload["withdrawing"]) == ("withdrawn", None, False)
    assert not await published(gateway, "dropped")
    assert (await gateway.upload(content)).json()["status"] == "needs_decision"


async def test_a_large_file_waits_at_the_chunk_that_brings_the_share_above_the_limit(gateway: Gateway) -> None:
    text = HEADER + rows("late", CHUNK_ROWS) + bad_rows("late", 2_000) + rows("late", 3_000, CHUNK_ROWS)
    upload = (await gateway.upload(text.encode())).json()
    held = await worked_on(gateway, upload)
    assert held is not None
    assert (held.status, held.rows_accepted, held.rows_rejected) == ("needs_decision", CHUNK_ROWS + 3_000, 2_000)
    assert (await published(gateway, "late")).total() == CHUNK_ROWS
    assert held.rows_waiting == 3_000

    received = await act(gateway, upload, "decision", choice="import")
    assert received["status"] == "received"
    completed = await worked_on(gateway, upload)
    assert completed is not None
    assert (completed.status, completed.rows_accepted, completed.rows_rejected) == (
        "completed",
        CHUNK_ROWS + 3_000,
        2_000,
    )
    assert set((await published(gateway, "late")).values()) == {1}


async def test_a_queued_upload_that_is_cancelled_never_starts(gateway: Gateway) -> None:
    upload = (await gateway.upload((HEADER + rows("queued", 700)).encode())).json()
    assert upload["status"] == "received"
    cancelled = await act(gateway, upload, "cancel")
    assert (cancelled["status"], cancelled["phase"]) == ("cancelled", None)
    assert await worked_on(gateway, upload) is None
    assert not await published(gateway, "queued")
    await act(gateway, upload, "cancel", 409)


async def test_a_running_upload_that_is_cancelled_stops_at_the_next_chunk_and_can_be_retried(gateway: Gateway) -> None:
    upload = (await gateway.upload((HEADER + rows("running", 2 * CHUNK_ROWS + 5)).encode())).json()
    assert await worked_on(gateway, upload, Between(gateway, lambda: act(gateway, upload, "cancel"))) is None
    stopped = await gateway.get(f"uploads/{upload['upload_id']}")
    assert (stopped["status"], stopped["rows_accepted"]) == ("cancelled", CHUNK_ROWS)
    assert (await published(gateway, "running")).total() == CHUNK_ROWS

    assert (await act(gateway, upload, "retry"))["status"] == "received"
    completed = await worked_on(gateway, upload)
    assert completed is not None
    assert (completed.status, completed.rows_accepted) == ("completed", 2 * CHUNK_ROWS + 5)
    assert completed.summary is not None
    assert completed.summary.visitors == 2 * CHUNK_ROWS + 5
    everything = await published(gateway, "running")
    assert (len(everything), set(everything.values())) == (2 * CHUNK_ROWS + 5, {1})
    await act(gateway, upload, "retry", 409)


async def queued(gateway: Gateway, upload: dict[str, Any]) -> int:
    """How often it is in the queue."""
    tasks = await gateway.app.state.resources.redis.lrange(QUEUE, 0, -1)
    return sum(upload["upload_id"].encode() in task for task in tasks)


async def test_a_retry_right_after_a_cancel_is_queued_as_soon_as_whoever_was_at_it_lets_go(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "REFILL_SECONDS", 1_000)
    upload = (await gateway.upload((HEADER + rows("hasty", 700)).encode())).json()

    async def is_queued(times: int) -> bool:
        return await queued(gateway, upload) == times

    await wait_until(lambda: is_queued(1))
    async with progress.working_on(gateway.database, upload["upload_id"]):
        await act(gateway, upload, "cancel")
        await act(gateway, upload, "retry")
        await gateway.app.state.resources.feeder.feed()
        assert await is_queued(1)
    await wait_until(lambda: is_queued(2))
    await act(gateway, upload, "cancel")


async def test_a_small_upload_that_is_cancelled_while_it_is_published_tells_what_was(gateway: Gateway) -> None:
    content = (HEADER + rows("swift", 40) + bad_rows("swift", 1)).encode()
    opened: Resources = gateway.app.state.resources
    upload_id = str(progress.upload_id_of(hashlib.sha256(content).hexdigest()))
    between = Between(gateway, lambda: act(gateway, {"upload_id": upload_id}, "cancel"))
    gateway.app.state.resources = replace(opened, producer=cast(EventProducer, between))
    answer = await gateway.upload(content)
    gateway.app.state.resources = opened
    cancelled = answer.json()
    assert (answer.status_code, cancelled["status"], cancelled["phase"]) == (201, "cancelled", None)
    assert (cancelled["rows_accepted"], cancelled["rejects_by_reason"]) == (40, {"missing_person": 1})
    assert (await published(gateway, "swift")).total() == 40

    retried = await act(gateway, cancelled, "retry")
    assert (retried["status"], retried["rows_accepted"], retried["rows_rejected"]) == ("completed", 40, 1)
    assert retried["summary"]["visitors"] == 40


async def test_an_upload_begun_anew_is_left_alone_by_whoever_was_at_it(gateway: Gateway) -> None:
    upload = (await gateway.upload((HEADER + rows("anew", CHUNK_ROWS + 5)).encode())).json()

    async def begin_anew() -> None:
        await act(gateway, upload, "cancel")
        await act(gateway, upload, "retry")

    assert await worked_on(gateway, upload, Between(gateway, begin_anew)) is None
    left = await gateway.get(f"uploads/{upload['upload_id']}")
    assert (left["status"], left["rows_total"]) == ("received", 0)
    await act(gateway, upload, "cancel")


async def test_a_worker_that_lost_its_connection_publishes_nothing_more(gateway: Gateway) -> None:
    upload = (await gateway.upload((HEADER + rows("zombie", 2 * CHUNK_ROWS)).encode())).json()

    async def lose() -> None:
        ended = await gateway.database.fetchval(
            """
            SELECT count(*) FILTER (WHERE pg_terminate_backend(pid, 10000)) FROM pg_locks
            WHERE locktype = 'advisory' AND granted AND objid = hashtext($1)::oid
            """,
            upload["upload_id"],
        )
        assert ended == 1
        completed = await worked_on(gateway, upload)
        assert completed is not None
        assert completed.status == "completed"

    with pytest.raises(SERVER_AWAY):
        await worked_on(gateway, upload, Between(gateway, lose))
    everything = await published(gateway, "zombie")
    assert sorted(Counter(everything.values()).items()) == [(1, CHUNK_ROWS), (2, CHUNK_ROWS)]
    assert (await gateway.get(f"uploads/{upload['upload_id']}"))["rows_accepted"] == 2 * CHUNK_ROWS


async def test_a_worker_that_is_killed_again_and_again_goes_on_where_it_was(
    gateway: Gateway, env: dict[str, str], tmp_path: Path
) -> None:
    """Each of its processes dies when its second chunk is acknowledged: from the start none would come to the end."""
    upload = (await gateway.upload((HEADER + rows("killed", 4 * CHUNK_ROWS) + "broken\n").encode())).json()
    dying = {**env, "DWELL_FAILPOINT": "gateway.after_publish:2"}
    async with ServiceProcesses(dying, tmp_path) as processes:
        processes.spawn(
            "worker", "-m", "celery", "--app=services.gateway.uploads.tasks:app", "worker", "--concurrency=1"
        )
        gateway.app.state.resources.feeder.wake()
        completed = await finished(gateway, upload["upload_id"])
    assert (completed["status"], completed["error"]) == ("completed", None)
    assert (completed["rows_accepted"], completed["rows_rejected"]) == (4 * CHUNK_ROWS, 1)
    everything = await published(gateway, "killed")
    assert len(everything) == 4 * CHUNK_ROWS
    assert everything[f"upload:{upload['upload_id']}#2"] == 1
    assert max(everything.values()) == 2


async def follow(gateway: Gateway, upload: dict[str, Any]) -> list[dict[str, Any]]:
    """What the stream shows of a small upload from `settling` to its end."""
    shown = asyncio.create_task(gateway.http.get(f"/api/v1/uploads/{upload['upload_id']}/events"))
    await pretend_that_all_is_read(gateway)
    lines = (await shown).text.splitlines()
    return [json.loads(line[5:]) for line in lines if line.startswith("data:")]


async def test_followers_hear_of_a_change_over_redis(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "LOOK_SECONDS", 1_000)
    upload = (await gateway.upload((HEADER + rows("followed", 3)).encode())).json()
    shown = await follow(gateway, upload)
    assert shown[-1] == {**upload, "phase": "done"}


async def test_followers_see_a_change_without_redis(env: dict[str, str], servers: Servers) -> None:
    nowhere = {**env, "DWELL_REDIS": "redis://127.0.0.1:1/0"}
    async with running_gateway(gateway_settings(nowhere)) as alone:
        upload = (await alone.upload((HEADER + rows("alone", 3)).encode())).json()
        assert upload["status"] == "completed"
        assert (await follow(alone, upload))[-1] == {**upload, "phase": "done"}


async def broken_off(gateway: Gateway, content: bytes) -> str:
    """A small upload as a gateway leaves it that dies while it works on it."""
    with gateway.app.state.resources.store.incoming() as incoming:
        incoming.write(content)
        file = ReceivedFile(incoming.keep(), len(content), "day.csv", {})
    left = await progress.claim(gateway.database, file, "UTC", "appearances", ADMIN_EMAIL, is_small=True)
    assert left is not None
    await progress.begin(gateway.database, left.upload.upload_id)
    return left.upload.upload_id


async def test_a_small_file_sent_again_after_its_import_broke_off_is_no_duplicate(gateway: Gateway) -> None:
    content = (HEADER + rows("again", 5)).encode()
    upload_id = await broken_off(gateway, content)
    elsewhere = (await gateway.upload(content, timezone="Asia/Jakarta")).json()
    async with progress.working_on(gateway.database, upload_id):
        meanwhile = (await gateway.upload(content)).json()
    for told in (elsewhere, meanwhile):
        assert (told["upload_id"], told["status"], told["duplicate"]) == (upload_id, "processing", True)

    answer = await gateway.upload(content)
    upload = answer.json()
    assert (answer.status_code, upload["upload_id"], upload["duplicate"]) == (201, upload_id, False)
    assert (upload["status"], upload["rows_accepted"]) == ("completed", 5)
    assert (await published(gateway, "again")).total() == 5
    acts = await gateway.database.fetch("SELECT action FROM audit WHERE target = $1", upload_id)
    assert [act["action"] for act in acts] == ["upload"]
    assert (await gateway.upload(content)).json() == {**upload, "duplicate": True}


async def test_a_part_that_was_imported_in_one_zone_is_not_imported_in_another(gateway: Gateway) -> None:
    content = (HEADER + rows("zones", 2 * CHUNK_ROWS)).encode()
    upload = (await gateway.upload(content)).json()
    await worked_on(gateway, upload, Between(gateway, lambda: act(gateway, upload, "cancel")))
    refused = await gateway.upload(content, timezone="Asia/Jakarta")
    assert (refused.status_code, "times in UTC" in refused.json()["detail"]) == (409, True)
    again = await gateway.upload(content)
    assert (again.status_code, again.json()["status"]) == (202, "received")
    completed = await worked_on(gateway, upload)
    assert completed is not None
    assert completed.rows_accepted == 2 * CHUNK_ROWS


async def withdrawn_sources(gateway: Gateway, camera: str) -> Counter[str]:
    items = items_of(await read_items(gateway.settings.kafka_bootstrap, Topic.APPEARANCES), camera)
    return Counter(item.source for item in items if item.withdrawn)


async def test_what_an_upload_brought_is_withdrawn_and_may_come_again(gateway: Gateway) -> None:
    content = (HEADER + rows("undone", 40) + bad_rows("undone", 1)).encode()
    upload = (await gateway.upload(content)).json()
    assert upload["status"] == "completed"
    await gateway.database.execute(
        "INSERT INTO quarantine VALUES ('undone', NULL, $1, 'missing_person', '', now(), '')",
        f"upload:{upload['upload_id']}#42",
    )
    answer = await gateway.http.delete(f"/api/v1/uploads/{upload['upload_id']}")
    withdrawing = answer.json()
    assert (answer.status_code, withdrawing["status"], withdrawing["phase"]) == (202, "processing", "settling")
    assert (await gateway.http.delete(f"/api/v1/uploads/{upload['upload_id']}")).status_code == 409
    assert (await gateway.upload(content)).json() == {**withdrawing, "duplicate": True}

    await pretend_that_all_is_read(gateway)
    gone = await finished(gateway, upload["upload_id"])
    assert (gone["status"], gone["phase"], gone["rows_accepted"]) == ("withdrawn", None, 40)
    assert await withdrawn_sources(gateway, "undone") == Counter(
        {f"upload:{upload['upload_id']}#{line}": 1 for line in range(2, 42)}
    )
    source = f"upload:{upload['upload_id']}#%"
    assert await gateway.database.fetchval("SELECT count(*) FROM quarantine WHERE source LIKE $1", source) == 0

    again = await gateway.upload(content)
    assert (again.status_code, again.json()["status"], again.json()["rows_accepted"]) == (201, "completed", 40)


async def test_a_large_upload_is_withdrawn_by_the_worker_that_goes_on_where_another_stopped(gateway: Gateway) -> None:
    upload = (await gateway.upload((HEADER + rows("vast", 2 * CHUNK_ROWS)).encode())).json()
    await worked_on(gateway, upload)
    await gateway.http.delete(f"/api/v1/uploads/{upload['upload_id']}")

    async def break_off() -> None:
        raise PublishError("away")

    with pytest.raises(PublishError):
        await worked_on(gateway, upload, Between(gateway, break_off))
    assert (await progress.unfinished_uploads(gateway.database))[upload["upload_id"]] is False
    await worked_on(gateway, upload)
    await pretend_that_all_is_read(gateway)
    assert (await finished(gateway, upload["upload_id"]))["status"] == "withdrawn"
    assert len(await withdrawn_sources(gateway, "vast")) == 2 * CHUNK_ROWS


async def test_an_upload_whose_raw_file_is_gone_cannot_be_withdrawn(gateway: Gateway) -> None:
    upload = (await gateway.upload((HEADER + rows("gone", 2)).encode())).json()
    gateway.app.state.resources.store.remove(upload["sha256"])
    answer = await gateway.http.delete(f"/api/v1/uploads/{upload['upload_id']}")
    assert (answer.status_code, "gone" in answer.json()["detail"]) == (409, True)
    assert (await gateway.get(f"uploads/{upload['upload_id']}"))["status"] == "completed"


async def test_an_upload_at_work_cannot_be_withdrawn(gateway: Gateway) -> None:
    upload = (await gateway.upload((HEADER + rows("busy", 700)).encode())).json()
    assert (await gateway.http.delete(f"/api/v1/uploads/{upload['upload_id']}")).status_code == 409
    await act(gateway, upload, "cancel")


async def test_acts_leave_their_trace_in_the_audit(gateway: Gateway) -> None:
    upload = (await gateway.upload((HEADER + rows("traced", 700)).encode())).json()
    await act(gateway, upload, "cancel")
    await act(gateway, upload, "retry")
    await act(gateway, upload, "cancel")
    rows_found = await gateway.database.fetch(
        "SELECT action FROM audit WHERE target = $1 ORDER BY audit_id", upload["upload_id"]
    )
    assert [row["action"] for row in rows_found] == ["upload", "cancel_upload", "retry_upload", "cancel_upload"]
