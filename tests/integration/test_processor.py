"""The processor on a real Kafka: killed, fed with rubbish, started on a backlog."""

import asyncio
from datetime import timedelta
from pathlib import Path

import msgspec

from services.common.events.appearances import Appearance
from services.common.events.common import Envelope
from services.common.kafka.producer import EventProducer
from services.common.topics import Topic
from tests import oracle
from tests.support import stored
from tests.support.kafka import changelog_of, delete_topic, produce, read_items
from tests.support.processes import ServiceProcesses
from tests.support.streams import drained, latest
from tests.support.waiting import wait_until
from tests.support.walks import CAMERAS, reports

GROUP = "dwell-processor"


async def check_sessions(bootstrap: str, told: list[Appearance]) -> None:
    """The active sessions come to be those of one batch over all reports, and no others."""

    async def active() -> stored.Rows:
        sessions = await latest(bootstrap, Topic.SESSIONS, lambda session: session.session_id)
        return stored.keyed(
            [msgspec.structs.asdict(session) for session in sessions if session.status == "active"], stored.SESSION
        )

    reports = [msgspec.to_builtins(report) for report in told]
    wanted = stored.expected(oracle.sessions(oracle.appearances(oracle.reports(reports))), stored.SESSION)
    await stored.becomes(active, wanted)


async def test_a_backlog_is_read_whole_when_the_service_starts(
    settings_env: dict[str, str], service_process: ServiceProcesses
) -> None:
    bootstrap = settings_env["DWELL_KAFKA"]
    told = reports(seed=1, appearances=700)
    async with EventProducer(bootstrap, "tests", linger_ms=5) as producer:
        await asyncio.gather(*(producer.publish(Topic.APPEARANCES, [report], "test") for report in told))
    await service_process.start("processor")
    await drained(bootstrap, GROUP, Topic.APPEARANCES)
    await check_sessions(bootstrap, told)


async def test_sessions_are_those_of_the_batch_though_the_service_is_killed_again_and_again(
    settings_env: dict[str, str], service_process: ServiceProcesses
) -> None:
    bootstrap = settings_env["DWELL_KAFKA"]
    told = reports(seed=2, appearances=1_500)
    async with EventProducer(bootstrap, "tests") as producer:
        await service_process.start("processor")
        for _ in range(2):
            feed = asyncio.create_task(publish_slowly(producer, told[: len(told) // 2]))
            await until_sessions_come(bootstrap)
            service_process.kill("processor")
            await feed
            await service_process.start("processor")
        await publish_slowly(producer, told[len(told) // 2 :])
    await drained(bootstrap, GROUP, Topic.APPEARANCES)
    await check_sessions(bootstrap, told)


async def publish_slowly(producer: EventProducer, told: list[Appearance]) -> None:
    """Records of one item and of many, so that the service is always in the middle of some."""
    for start in range(0, len(told), 20):
        await producer.publish(Topic.APPEARANCES, told[start : start + 10], "test")
        for report in told[start + 10 : start + 20]:
            await producer.publish(Topic.APPEARANCES, [report], "test")


async def until_sessions_come(bootstrap: str) -> None:
    known = len(await read_items(bootstrap, Topic.SESSIONS))

    async def more() -> bool:
        return len(await read_items(bootstrap, Topic.SESSIONS)) > known

    await wait_until(more)


async def test_what_cannot_be_read_goes_to_quarantine_and_harms_no_neighbour(
    settings_env: dict[str, str], service_process: ServiceProcesses
) -> None:
    bootstrap = settings_env["DWELL_KAFKA"]
    await service_process.start("processor")
    camera = CAMERAS[0]
    good = [report for report in reports(seed=3, appearances=60) if report.camera_id == camera][:4]
    strange = msgspec.structs.replace(good[0], camera_id="another")
    backwards = msgspec.structs.replace(good[0], ended_at=good[0].started_at - timedelta(seconds=1))
    endless = msgspec.structs.replace(good[0], ended_at=good[0].started_at + timedelta(days=9))
    ancient = msgspec.structs.replace(good[0], started_at=good[0].started_at.replace(year=1970))
    values = [
        envelope(camera, good[0]),
        b'{"camera_id": "cam-0", "source"',
        None,
        envelope(camera, {"appearance_key": 5}, good[1]),
        b'{"camera_id": "\xff\xfe", "source": "test", "items": []}',
        envelope(camera, strange, good[2], backwards, endless, ancient),
        envelope(camera, good[3]),
    ]
    places = await produce(bootstrap, Topic.APPEARANCES, values, camera.encode())
    await drained(bootstrap, GROUP, Topic.APPEARANCES)
    refused = sorted(
        (one["source"], one["reason_code"])
        for one in map(msgspec.to_builtins, await read_items(bootstrap, Topic.QUARANTINE))
    )
    at = [f"kafka:appearances.v1/{place.partition}/{place.offset}" for place in places]
    assert refused == sorted(
        [
            (at[1], "bad_json"),
            (at[2], "schema_violation"),
            (at[3], "schema_violation"),
            (at[4], "bad_encoding"),
            (at[5], "schema_violation"),
            (f"{at[5]}#2", "negative_dwell"),
            (f"{at[5]}#3", "implausible_dwell"),
            (f"{at[5]}#4", "bad_timestamp"),
        ]
    )
    await check_sessions(bootstrap, good)


def envelope(camera_id: str, *items: object) -> bytes:
    return msgspec.json.encode(Envelope[object](camera_id=camera_id, source="test", items=list(items)))


async def test_a_process_that_stands_still_with_records_waiting_ends_and_the_next_one_goes_on(
    settings_env: dict[str, str], tmp_path: Path
) -> None:
    bootstrap = settings_env["DWELL_KAFKA"]
    told = reports(seed=4, appearances=60)
    wedged = settings_env | {"DWELL_FAILPOINT": "workers.before_ack:1:hang", "DWELL_WATCHDOG_SECONDS": "3"}
    async with ServiceProcesses(wedged, tmp_path / "wedged") as processes:
        await processes.start("processor")
        async with EventProducer(bootstrap, "tests") as producer:
            await producer.publish(Topic.APPEARANCES, told, "test")
        assert await asyncio.to_thread(processes.wait, "processor", 60) == 1
        assert "records wait and none is committed" in processes.log("processor").read_text()
    async with ServiceProcesses(settings_env, tmp_path / "next") as processes:
        await processes.start("processor")
        await drained(bootstrap, GROUP, Topic.APPEARANCES)
    await check_sessions(bootstrap, told)


async def test_without_its_changelog_the_state_is_built_from_the_log_again(
    settings_env: dict[str, str], service_process: ServiceProcesses
) -> None:
    """The group has read on; only with the earlier reports do the later ones give the right sessions."""
    bootstrap = settings_env["DWELL_KAFKA"]
    told = reports(seed=5, appearances=300)
    async with EventProducer(bootstrap, "tests") as producer:
        await service_process.start("processor")
        await producer.publish(Topic.APPEARANCES, told[:300], "test")
        await drained(bootstrap, GROUP, Topic.APPEARANCES)
        service_process.kill("processor")
        await delete_topic(bootstrap, await changelog_of(bootstrap, GROUP))
        await producer.publish(Topic.APPEARANCES, told[300:], "test")
        await service_process.start("processor")
    await drained(bootstrap, GROUP, Topic.APPEARANCES)
    await check_sessions(bootstrap, told)
