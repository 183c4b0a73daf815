"""What was refused: shown, corrected, read again and counted once."""

import csv
import io
import json
import signal
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
import pytest_asyncio
from redis.asyncio import Redis

from services.common.events.appearances import Appearance
from services.common.events.common import stable_id
from services.common.events.insights import InsightEvent
from services.common.events.quarantine import SUGGESTIONS
from services.common.kafka.producer import EventProducer, PublishError
from services.common.kafka.quarantine import refuse
from services.common.topics import Topic
from services.gateway.dependencies import Resources
from services.gateway.uploads import progress, replay
from tests.support.databases import fresh_database
from tests.support.environment import ADMIN_EMAIL, environment
from tests.support.gateway import Gateway, gateway_settings, running_gateway
from tests.support.kafka import make_topics_empty, read_items
from tests.support.processes import ServiceProcesses
from tests.support.servers import Servers
from tests.support.stored import written
from tests.support.vendor_events import appearance_event
from tests.support.waiting import wait_until

# One gateway and one sink for all tests here: each test uploads bytes and names cameras of its own.
pytestmark = pytest.mark.asyncio(loop_scope="module")

HEADER = "person_id,camera_id,appearance_id,utc_time_started_readable,utc_time_ended_readable,gender_outcome\n"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def env(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[dict[str, str]]:
    await make_topics_empty(servers.kafka)
    async with Redis.from_url(servers.redis) as redis:
        await redis.flushall()
    async with fresh_database(servers.postgres) as database:
        yield environment(servers, database, tmp_path_factory.mktemp("home"))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(env: dict[str, str]) -> AsyncIterator[Gateway]:
    # Most rows of these files are bad on purpose.
    async with running_gateway(gateway_settings(env, upload_reject_limit=1)) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sink(env: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ServiceProcesses]:
    async with ServiceProcesses(env, tmp_path_factory.mktemp("log")) as processes:
        await processes.start("sink")
        yield processes


@pytest_asyncio.fixture(autouse=True, loop_scope="module")
async def stored(sink: ServiceProcesses) -> None:
    """Every test needs the sink."""


def row(camera: str, number: int, person: str | None = None, start: str | None = None) -> str:
    at = f"2026-03-10 10:{number:02}"
    return (
        f"{f'p{number}' if person is None else person},{camera},{camera}-{number},{start or f'{at}:00'},{at}:30,male\n"
    )


async def uploaded(gateway: Gateway, rows: str, name: str = "day.csv", **fields: str) -> dict[str, Any]:
    """The upload, once all of its refused rows are in the quarantine."""
    content = rows if name.endswith(".json") else HEADER + rows
    answer = await gateway.upload(content.encode(), name, **fields)
    assert answer.status_code == 201, answer.text
    upload = answer.json()

    async def is_there() -> bool:
        return bool((await listed(gateway, upload))["total"] == upload["rows_rejected"])

    await wait_until(is_there)
    return cast(dict[str, Any], upload)


def source_of(upload: dict[str, Any], line: int | str = "") -> str:
    return f"upload:{upload['upload_id']}#{line}"


def id_of(upload: dict[str, Any], line: int, reason_code: str) -> str:
    return stable_id(source_of(upload, line), reason_code)


async def listed(gateway: Gateway, upload: dict[str, Any]) -> dict[str, Any]:
    return cast(dict[str, Any], await gateway.get("quarantine", source=source_of(upload)))


async def rejects(gateway: Gateway, upload: dict[str, Any]) -> list[dict[str, str]]:
    answer = await gateway.http.get(f"/api/v1/uploads/{upload['upload_id']}/rejects.csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(answer.text, newline="")))


async def replayed(gateway: Gateway, **request: Any) -> dict[str, Any]:
    answer = await gateway.http.post("/api/v1/quarantine/replay", json=request)
    assert answer.status_code == 200, answer.text
    return cast(dict[str, Any], answer.json())


async def edited(gateway: Gateway, quarantine_id: str, raw: str | None) -> dict[str, Any]:
    return await replayed(gateway, items=[{"quarantine_id": quarantine_id, "raw": raw}])


async def counts(gateway: Gateway, upload: dict[str, Any]) -> tuple[int, int, dict[str, int]]:
    found = await gateway.get(f"uploads/{upload['upload_id']}")
    assert found["rows_total"] == found["rows_accepted"] + found["rows_rejected"] == upload["rows_total"]
    return found["rows_accepted"], found["rows_rejected"], found["rejects_by_reason"]


async def published(gateway: Gateway, camera: str, topic: Topic = Topic.APPEARANCES) -> list[Any]:
    items = await read_items(gateway.settings.kafka_bootstrap, topic)
    return [item for item in items if cast(Appearance, item).camera_id == camera]


class TestRejectsAsCsv:
    async def test_they_are_the_rows_of_the_file_with_what_is_wrong_and_what_to_do(self, gateway: Gateway) -> None:
        upload = await uploaded(gateway, row("csv", 1) + row("csv", 2, "=cmd()", "yesterday") + row("csv", 3, ""))
        answer = await gateway.http.get(f"/api/v1/uploads/{upload['upload_id']}/rejects.csv")
        assert answer.text.split("\r\n")[0] == f"{HEADER.strip()},line,reason_code,reason,suggestion"
        formula, nobody = await rejects(gateway, upload)
        assert (formula["person_id"], formula["utc_time_started_readable"]) == ("'=cmd()", "yesterday")
        assert (formula["line"], formula["reason_code"]) == ("3", "bad_timestamp")
        assert "yesterday" in formula["reason"]
        assert formula["suggestion"] == SUGGESTIONS["bad_timestamp"]
        assert (nobody["line"], nobody["reason_code"], nobody["camera_id"]) == ("4", "missing_person", "csv")

    async def test_a_row_that_has_no_columns_keeps_its_text(self, gateway: Gateway) -> None:
        upload = await uploaded(gateway, row("short", 1, "") + "@short,row\n" + row("short", 3))
        whole, short = await rejects(gateway, upload)
        assert list(whole) == [*HEADER.strip().split(","), "raw", "line", "reason_code", "reason", "suggestion"]
        assert (whole["camera_id"], whole["raw"], whole["reason_code"]) == ("short", "", "missing_person")
        assert (short["person_id"], short["camera_id"], short["raw"]) == ("", "", "'@short,row")
        assert (short["line"], short["reason_code"]) == ("3", "wrong_field_count")

    async def test_an_element_of_json_is_one_text(self, gateway: Gateway) -> None:
        element = {"event_id": "json-1", "camera_id": "json", "utc_time_recorded": "never"}
        upload = await uploaded(gateway, json.dumps([element]), "report.json")
        [found] = await rejects(gateway, upload)
        assert list(found) == ["raw", "line", "reason_code", "reason", "suggestion"]
        assert (json.loads(found["raw"]), found["line"]) == (element, "1")

    async def test_without_the_file_there_is_still_the_text(self, gateway: Gateway) -> None:
        upload = await uploaded(gateway, row("gone", 1, ""))
        gateway.app.state.resources.store.remove(upload["sha256"])
        [found] = await rejects(gateway, upload)
        assert found["raw"] == row("gone", 1, "").strip()
        answer = await edited(gateway, id_of(upload, 2, "missing_person"), row("gone", 1))
        assert (answer["accepted"], len(answer["rejected"])) == (0, 1)
        assert "not kept" in answer["rejected"][0]["reason"]


async def test_open_rows_are_grouped_by_reason_with_advice_and_a_sample(gateway: Gateway) -> None:
    upload = await uploaded(gateway, row("group", 1, "") + row("group", 2, "") + row("group", 3, start="soon"))
    groups = (await gateway.get("quarantine/groups", source=source_of(upload)))["items"]
    assert [(group["reason_code"], group["count"]) for group in groups] == [("missing_person", 2), ("bad_timestamp", 1)]
    assert groups[0]["reason"] == "no person_id"
    assert groups[1]["suggestion"] == SUGGESTIONS["bad_timestamp"]
    assert groups[1]["newest_at"] == upload["created_at"]
    assert groups[1]["sample"] == {
        "quarantine_id": id_of(upload, 4, "bad_timestamp"),
        "raw": row("group", 3, start="soon").strip(),
    }
    assert (await gateway.get("quarantine/groups", source="upload:nobody"))["items"] == []


class TestEdited:
    async def test_a_corrected_row_counts_once_and_is_out_of_the_quarantine(self, gateway: Gateway) -> None:
        upload = await uploaded(gateway, row("edit", 1) + row("edit", 2, "") + row("edit", 3, ""))
        quarantine_id = id_of(upload, 3, "missing_person")
        answer = await edited(gateway, quarantine_id, row("edit", 2))
        nothing_left = {"rejected": [], "remaining": 0, "next_cursor": None}
        assert answer == {"replayed": 1, "accepted": 1, **nothing_left}
        assert await counts(gateway, upload) == (2, 1, {"missing_person": 1})
        assert [item["source"] for item in (await listed(gateway, upload))["items"]] == [source_of(upload, 4)]
        assert [found["line"] for found in await rejects(gateway, upload)] == ["4"]
        sources = [item.source for item in await published(gateway, "edit")]
        assert sources == [source_of(upload, 2), source_of(upload, 3)]

        again = await edited(gateway, quarantine_id, row("edit", 7))
        assert again == {"replayed": 0, "accepted": 0, **nothing_left}
        assert await counts(gateway, upload) == (2, 1, {"missing_person": 1})
        assert len(await published(gateway, "edit")) == 2
        trail = await gateway.database.fetch(
            "SELECT * FROM audit WHERE action = 'replay' ORDER BY audit_id DESC LIMIT 1"
        )
        assert (trail[0]["actor"], trail[0]["target"], trail[0]["detail"]) == (
            ADMIN_EMAIL,
            upload["upload_id"],
            {"rows": 1},
        )
        await written(gateway.database, gateway.settings.kafka_bootstrap, Topic.APPEARANCES)
        assert await gateway.database.fetchval("SELECT count(*) FROM appearances WHERE camera_id = 'edit'") == 2

    async def test_the_same_bytes_again_are_the_upload_with_its_fixed_rows(self, gateway: Gateway) -> None:
        rows = row("same", 1) + row("same", 2, "")
        upload = await uploaded(gateway, rows)
        await edited(gateway, id_of(upload, 3, "missing_person"), row("same", 2))
        again = await gateway.upload((HEADER + rows).encode())
        assert again.status_code == 200
        assert (again.json()["rows_accepted"], again.json()["rows_rejected"]) == (2, 0)
        assert len(await published(gateway, "same")) == 2

    async def test_a_row_that_is_still_wrong_stays_and_says_why(self, gateway: Gateway) -> None:
        upload = await uploaded(gateway, row("wrong", 1, "") + row("wrong", 2, "", "soon") + "wrong\n")
        lines = {2: "missing_person", 3: "missing_person", 4: "wrong_field_count"}
        ids = [id_of(upload, line, code) for line, code in lines.items()]
        edits = [row("wrong", 1), row("wrong", 2, start="later"), None]
        items = [{"quarantine_id": each, "raw": raw} for each, raw in zip(ids, edits, strict=True)]
        answer = await replayed(gateway, items=items)
        assert (answer["replayed"], answer["accepted"]) == (3, 1)
        found = {each["quarantine_id"]: each["reason_code"] for each in answer["rejected"]}
        assert found == {ids[1]: "bad_timestamp", ids[2]: "wrong_field_count"}
        assert await counts(gateway, upload) == (1, 2, {"missing_person": 1, "wrong_field_count": 1})
        assert (await listed(gateway, upload))["by_reason"] == {"missing_person": 1, "wrong_field_count": 1}

    async def test_times_are_read_in_the_zone_and_at_the_time_of_the_upload(self, gateway: Gateway) -> None:
        upload = await uploaded(gateway, row("zoned", 1, ""), timezone="Asia/Jakarta")
        quarantine_id = id_of(upload, 2, "missing_person")
        future = row("zoned", 1).replace("2026-03-10", "2100-01-01")
        [refused] = (await edited(gateway, quarantine_id, future))["rejected"]
        assert refused["reason_code"] == "future_timestamp"
        assert (await edited(gateway, quarantine_id, row("zoned", 1)))["accepted"] == 1
        [item] = await published(gateway, "zoned")
        assert item.started_at == datetime(2026, 3, 10, 3, 1, tzinfo=UTC)

    async def test_a_row_that_was_never_refused_is_not_found(self, gateway: Gateway) -> None:
        answer = await gateway.http.post("/api/v1/quarantine/replay", json={"items": [{"quarantine_id": "nobody"}]})
        assert answer.status_code == 404

    async def test_of_a_row_that_is_kept_in_part_the_whole_is_asked_for(self, gateway: Gateway) -> None:
        long = row("long", 1, "").replace("male", "x" * 70_000)
        upload = await uploaded(gateway, long)
        quarantine_id = id_of(upload, 2, "missing_person")
        [refused] = (await edited(gateway, quarantine_id, None))["rejected"]
        assert refused["reason_code"] == "too_large"
        assert (await edited(gateway, quarantine_id, row("long", 1)))["accepted"] == 1

    async def test_a_row_of_an_upload_that_is_not_finished_or_in_hand_has_to_wait(self, gateway: Gateway) -> None:
        upload = await uploaded(gateway, row("wait", 1, ""))
        quarantine_id, fixed = id_of(upload, 2, "missing_person"), row("wait", 1)
        async with progress.working_on(gateway.database, upload["upload_id"]):
            [refused] = (await edited(gateway, quarantine_id, fixed))["rejected"]
        assert refused == {
            "quarantine_id": quarantine_id,
            "reason_code": "missing_person",
            "reason": "the upload is being worked on: try again",
        }
        await gateway.database.execute("UPDATE uploads SET status = 'failed' WHERE upload_id = $1", upload["upload_id"])
        assert "failed" in (await edited(gateway, quarantine_id, fixed))["rejected"][0]["reason"]
        assert await published(gateway, "wait") == []


class TestGroup:
    async def test_text_is_replaced_in_one_field_of_every_row(self, gateway: Gateway) -> None:
        rows = "".join(row("bulk", number, start=f"2026-03-10 10h{number:02}") for number in range(1, 4))
        upload = await uploaded(gateway, rows + row("bulk", 4, start="soon") + row("bulk", 5, ""))
        fix = {"field": "utc_time_started_readable", "find": "h", "replace": ":"}
        answer = await replayed(gateway, reason_code="bad_timestamp", source=source_of(upload), fix=fix)
        assert (answer["replayed"], answer["accepted"], answer["remaining"]) == (4, 3, 0)
        assert [each["quarantine_id"] for each in answer["rejected"]] == [id_of(upload, 5, "bad_timestamp")]
        assert await counts(gateway, upload) == (3, 2, {"bad_timestamp": 1, "missing_person": 1})
        assert {item.started_at.minute for item in await published(gateway, "bulk")} == {1, 2, 3}
        detail = await gateway.database.fetchval(
            "SELECT detail FROM audit WHERE action = 'replay' AND target = $1", upload["upload_id"]
        )
        assert detail == {"rows": 3, **fix}

    async def test_a_blank_field_is_filled(self, gateway: Gateway) -> None:
        upload = await uploaded(gateway, "".join(row("", number) for number in range(1, 4)))
        fix = {"field": "camera_id", "find": "", "replace": "filled"}
        assert (await replayed(gateway, reason_code="missing_camera", source=source_of(upload), fix=fix))[
            "accepted"
        ] == 3
        assert len(await published(gateway, "filled")) == 3
        assert await counts(gateway, upload) == (3, 0, {})

    async def test_times_are_read_in_another_zone(self, gateway: Gateway) -> None:
        # Berlin has no half past two on this night.
        rows = row("spring", 30).replace("2026-03-10 10:", "2025-03-30 02:")
        upload = await uploaded(gateway, rows, timezone="Europe/Berlin")
        group = {"reason_code": "bad_timestamp", "source": source_of(upload)}
        assert (await replayed(gateway, **group, fix={"timezone": "Asia/Jakarta"}))["accepted"] == 1
        [item] = await published(gateway, "spring")
        assert item.started_at == datetime(2025, 3, 29, 19, 30, tzinfo=UTC)
        wrong = {**group, "fix": {"timezone": "Mars/Olympus"}}
        assert (await gateway.http.post("/api/v1/quarantine/replay", json=wrong)).status_code == 422

    async def test_a_large_one_is_gone_through_call_by_call(
        self, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(replay, "CHUNK_ROWS", 2)
        monkeypatch.setattr(replay, "MAX_GROUP_ROWS", 4)
        rows = "".join(row("pages", number, start="soon" if number % 3 else "x") for number in range(1, 12))
        upload = await uploaded(gateway, rows)
        fix = {"field": "utc_time_started_readable", "find": "soon", "replace": "2026-03-10 10:00"}
        request: dict[str, Any] = {"reason_code": "bad_timestamp", "source": source_of(upload), "fix": fix}
        answers: list[dict[str, Any]] = []
        while not answers or answers[-1]["next_cursor"]:
            cursor = {"cursor": answers[-1]["next_cursor"]} if answers else {}
            answers.append(await replayed(gateway, **request, **cursor))
        assert [answer["remaining"] for answer in answers] == [7, 3, 0]
        assert [answer["replayed"] for answer in answers] == [4, 4, 3]
        assert sum(answer["accepted"] for answer in answers) == 8
        assert await counts(gateway, upload) == (8, 3, {"bad_timestamp": 3})
        assert len(await published(gateway, "pages")) == 8

    async def test_a_cursor_of_another_group_is_refused(self, gateway: Gateway) -> None:
        request = {"reason_code": "bad_json", "source": "upload:", "fix": {"timezone": "UTC"}, "cursor": "x"}
        assert (await gateway.http.post("/api/v1/quarantine/replay", json=request)).status_code == 422


class TestInterrupted:
    async def test_what_kafka_may_have_is_not_published_otherwise_later(self, gateway: Gateway) -> None:
        class AwayProducer:
            async def publish(self, *_: object) -> None:
                raise PublishError("away")

        upload = await uploaded(gateway, row("away", 1, ""))
        quarantine_id = id_of(upload, 2, "missing_person")
        opened: Resources = gateway.app.state.resources
        gateway.app.state.resources = replace(opened, producer=cast(EventProducer, AwayProducer()))
        items = [{"quarantine_id": quarantine_id, "raw": row("away", 1)}]
        answer = await gateway.http.post("/api/v1/quarantine/replay", json={"items": items})
        gateway.app.state.resources = opened
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert await counts(gateway, upload) == (0, 1, {"missing_person": 1})
        assert (await listed(gateway, upload))["total"] == 1

        assert (await edited(gateway, quarantine_id, row("away", 2)))["accepted"] == 1
        assert [item.appearance_key for item in await published(gateway, "away")] == ["away-1"]
        assert await counts(gateway, upload) == (1, 0, {})

    async def test_a_row_of_which_a_killed_gateway_told_kafka_alone_is_counted_once_by_the_next(
        self, gateway: Gateway, env: dict[str, str], tmp_path: Path
    ) -> None:
        upload = await uploaded(gateway, row("died", 1, ""))
        quarantine_id = id_of(upload, 2, "missing_person")
        items = [{"quarantine_id": quarantine_id, "raw": row("died", 1)}]
        login = {"Authorization": gateway.http.headers["Authorization"]}
        async with ServiceProcesses({**env, "DWELL_FAILPOINT": "gateway.before_settle"}, tmp_path) as processes:
            await processes.start("gateway")
            async with httpx.AsyncClient(headers=login, trust_env=False, timeout=60) as client:
                with pytest.raises(httpx.TransportError):
                    await client.post(f"{processes.address('gateway')}/api/v1/quarantine/replay", json={"items": items})
            assert processes.wait("gateway", 20) == -signal.SIGKILL
        assert len(await published(gateway, "died")) == 1
        assert await counts(gateway, upload) == (0, 1, {"missing_person": 1})
        assert (await listed(gateway, upload))["total"] == 1

        assert (await edited(gateway, quarantine_id, row("died", 2)))["accepted"] == 1
        assert await counts(gateway, upload) == (1, 0, {})
        assert [item.appearance_key for item in await published(gateway, "died")] == ["died-1", "died-1"]
        await written(gateway.database, gateway.settings.kafka_bootstrap, Topic.APPEARANCES)
        assert await gateway.database.fetchval("SELECT count(*) FROM appearances WHERE camera_id = 'died'") == 1

    async def test_the_topic_read_again_brings_no_fixed_row_back(
        self, gateway: Gateway, sink: ServiceProcesses
    ) -> None:
        upload = await uploaded(gateway, row("again", 1, "") + row("again", 2, ""))
        await edited(gateway, id_of(upload, 2, "missing_person"), row("again", 1))
        sink.stop("sink")
        await gateway.database.execute("TRUNCATE quarantine")
        await gateway.database.execute("UPDATE sink_offsets SET next_offset = 0")
        await sink.start("sink")
        await written(gateway.database, gateway.settings.kafka_bootstrap, Topic.QUARANTINE)
        assert [item["source"] for item in (await listed(gateway, upload))["items"]] == [source_of(upload, 3)]


async def test_an_upload_is_withdrawn_with_its_fixed_rows_which_are_judged_anew_when_it_comes_again(
    gateway: Gateway, sink: ServiceProcesses
) -> None:
    rows = row("undo", 1) + row("undo", 2, "") + row("undo", 3, "")
    upload = await uploaded(gateway, rows)
    for line, number in ((3, 2), (4, 3)):
        await edited(gateway, id_of(upload, line, "missing_person"), row("undo", number))
    await sink.start("processor", "insights")
    answer = await gateway.http.delete(f"/api/v1/uploads/{upload['upload_id']}")
    assert answer.status_code == 202

    async def is_withdrawn() -> bool:
        return bool((await gateway.get(f"uploads/{upload['upload_id']}"))["status"] == "withdrawn")

    await wait_until(is_withdrawn, 60)
    taken_back = [item for item in await published(gateway, "undo") if item.withdrawn]
    assert {item.source for item in taken_back} == {source_of(upload, line) for line in (2, 3, 4)}
    assert {item.appearance_key for item in taken_back} == {"undo-1", "undo-2", "undo-3"}

    again = await uploaded(gateway, rows)
    assert again["upload_id"] == upload["upload_id"]
    assert (await listed(gateway, again))["total"] == again["rows_rejected"] == 2


async def test_what_an_earlier_reading_of_the_bytes_refused_is_no_longer_open(gateway: Gateway) -> None:
    rows = row("zones", 1, "") + row("zones", 30).replace("2026-03-10 10:", "2025-03-30 02:")
    berlin = await uploaded(gateway, rows, timezone="Europe/Berlin")
    assert (berlin["rows_accepted"], berlin["rows_rejected"]) == (0, 2)
    await gateway.database.execute(
        "UPDATE uploads SET status = 'withdrawn', in_kafka = false WHERE upload_id = $1", berlin["upload_id"]
    )
    jakarta = await uploaded(gateway, rows, timezone="Asia/Jakarta")
    assert jakarta["upload_id"] == berlin["upload_id"]
    assert (await listed(gateway, jakarta))["by_reason"] == {"missing_person": 1}
    assert [found["reason_code"] for found in await rejects(gateway, jakarta)] == ["missing_person"]


class TestOtherSources:
    async def test_an_element_of_a_report_is_replayed_to_the_insights(self, gateway: Gateway) -> None:
        element = {"event_id": "element-1", "camera_id": "element", "utc_time_recorded": "never"}
        upload = await uploaded(gateway, json.dumps([element]), "report.json")
        fix = {"field": "utc_time_recorded", "find": "never", "replace": "2026-03-10 10:00:00"}
        assert (await replayed(gateway, reason_code="bad_timestamp", source=source_of(upload), fix=fix))[
            "accepted"
        ] == 1
        [item] = cast(list[InsightEvent], await published(gateway, "element", Topic.INSIGHTS))
        assert (item.insight_id, item.source) == ("element-1", source_of(upload, 1))
        assert await counts(gateway, upload) == (1, 0, {})

    async def test_an_event_of_the_connector_is_replayed_and_a_record_of_kafka_is_not(self, gateway: Gateway) -> None:
        event = appearance_event(camera_id="")
        refused = refuse("corsight:webhook#1", "missing_camera", "blank", json.dumps(event).encode())
        record = refuse("kafka:appearances.v1/0/7", "bad_json", "broken", b"{")
        await gateway.app.state.resources.producer.publish(Topic.QUARANTINE, [refused, record], "test")
        await written(gateway.database, gateway.settings.kafka_bootstrap, Topic.QUARANTINE)
        fix = {"field": "camera_data.camera_id", "find": "", "replace": "connected"}
        assert (await replayed(gateway, reason_code="missing_camera", source="corsight:", fix=fix))["accepted"] == 1
        [item] = await published(gateway, "connected")
        assert (item.appearance_key, item.source) == ("track-1", "corsight:webhook#1")
        assert (await gateway.get("quarantine", source="corsight:"))["total"] == 0

        answer = await edited(gateway, record.quarantine_id, "{}")
        assert [each["reason_code"] for each in answer["rejected"]] == ["bad_json"]
        assert (await gateway.get("quarantine", source="kafka:"))["total"] == 1


async def test_dismissed_rows_leave_the_quarantine_and_stay_rejected(gateway: Gateway) -> None:
    upload = await uploaded(gateway, row("out", 1, "") + row("out", 2, "") + row("out", 3, start="soon"))

    async def dismissed(**request: Any) -> int:
        answer = await gateway.http.post("/api/v1/quarantine/dismiss", json=request)
        return int(answer.json()["dismissed"])

    single = [id_of(upload, 2, "missing_person")]
    assert await dismissed(quarantine_ids=single) == 1
    assert await dismissed(quarantine_ids=single) == 0
    assert (await listed(gateway, upload))["by_reason"] == {"bad_timestamp": 1, "missing_person": 1}
    assert await dismissed(reason_code="bad_timestamp", source=source_of(upload)) == 1
    assert (await listed(gateway, upload))["by_reason"] == {"missing_person": 1}
    assert await counts(gateway, upload) == (0, 3, {"missing_person": 2, "bad_timestamp": 1})
    assert len(await rejects(gateway, upload)) == 3
    assert (await edited(gateway, single[0], row("out", 1)))["replayed"] == 0
