"""The whole backend on real servers: what comes in by file, webhook or Kafka ends in PostgreSQL as the oracle says."""

import random
from collections.abc import Collection
from functools import partial
from typing import Any, cast

import msgspec
import pytest
from msgspec.structs import replace

from services.common.events.common import origin_of
from services.common.kafka.producer import EventProducer
from services.common.topics import Topic
from tests import oracle
from tests.support import stored
from tests.support.kafka import produce, read_items
from tests.support.pipeline import Pipeline
from tests.support.raw_files import AppearanceFile

pytestmark = pytest.mark.asyncio(loop_scope="package")

HEADER = "person_id,camera_id,appearance_id,utc_time_started_readable,utc_time_ended_readable,gender_outcome\n"


def row(camera: str, person: str, start: str, end: str, key: str = "", gender: str = "") -> str:
    return f"{person},{camera},{key},2026-03-10 {start},2026-03-10 {end},{gender}\n"


def clock_time(second: int) -> str:
    return f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"


async def becomes_what_the_oracle_says(
    pipeline: Pipeline, reports: list[dict[str, Any]], cameras: Collection[str] = ()
) -> None:
    """Sessions and minutes of the reports' cameras, and of others, row for row."""
    cameras = {*cameras, *(report["camera_id"] for report in reports)}
    sessions = oracle.sessions(oracle.appearances(oracle.reports(reports)))
    minutes = oracle.occupancy_minutes(sessions)
    await stored.becomes(
        partial(stored.sessions, pipeline.database, cameras), stored.expected(sessions, stored.SESSION)
    )
    await stored.becomes(partial(stored.minutes, pipeline.database, cameras), stored.expected(minutes, stored.MINUTE))


async def test_an_unreadable_record_and_a_bad_item_go_to_quarantine_and_their_neighbours_are_stored(
    pipeline: Pipeline,
) -> None:
    good = [pipeline.appearance("quarantine-camera", str(n), n * 1000) for n in range(4)]
    bad_item = {"appearance_key": "no time", "camera_id": "quarantine-camera"}

    def record(*items: Any) -> bytes:
        return msgspec.json.encode({"camera_id": "quarantine-camera", "source": "test", "items": items})

    unreadable = b'{"items": [\xff'
    values = [record(good[0]), unreadable, record(good[1], bad_item, good[2]), record(good[3])]
    written = await produce(pipeline.kafka, Topic.APPEARANCES, values, b"quarantine-camera")

    await becomes_what_the_oracle_says(pipeline, good)
    places = [f"kafka:{Topic.APPEARANCES}/{place.partition}/{place.offset}" for place in written]
    wanted = {
        (places[1], "bad_json", unreadable),
        (f"{places[2]}#1", "schema_violation", msgspec.json.encode(bad_item)),
    }

    async def quarantined() -> set[tuple[str, str, bytes]]:
        rows = await pipeline.database.fetch(
            "SELECT source, reason_code, raw FROM quarantine WHERE split_part(source, '#', 1) = ANY($1)", places
        )
        assert len(rows) == len({row["source"] for row in rows})
        return {(row["source"], row["reason_code"], bytes(row["raw"])) for row in rows}

    await stored.becomes(quarantined, wanted)


async def test_the_same_file_again_is_the_first_upload(pipeline: Pipeline) -> None:
    content = (HEADER + row("twice-camera", "p1", "10:00:00", "10:00:30")).encode()
    first = await pipeline.upload("first.csv", content)
    again = await pipeline.upload("again.csv", content)
    assert (first["duplicate"], again["duplicate"]) == (False, True)
    assert again["upload_id"] == first["upload_id"]
    await becomes_what_the_oracle_says(pipeline, AppearanceFile(content).accepted)


async def test_the_same_rows_split_and_shuffled_into_other_files_count_once(pipeline: Pipeline) -> None:
    shuffle = random.Random(7)
    rows = []
    for person in range(12):
        second = shuffle.randrange(600)
        for visit in range(8):
            key = f"shuffled-{person}-{visit}" if visit % 2 else ""
            start, end = clock_time(36_000 + second), clock_time(36_020 + second)
            rows.append(row("shuffle-camera", f"p{person}", start, end, key, shuffle.choice(["male", "", "Female"])))
            second += shuffle.choice([30, 79, 80, 81, 200])
    whole = (HEADER + "".join(rows)).encode()
    await pipeline.upload("whole.csv", whole)

    shuffle.shuffle(rows)
    for name, part in (("one.csv", rows[:40]), ("two.csv", rows[30:])):
        upload = await pipeline.upload(name, (HEADER + "".join(part)).encode())
        assert upload["rows_accepted"] == len(part)
        assert not upload["duplicate"]
    # Of the same camera, so read after all the others: when it is stored, they have all been counted or not.
    last = (HEADER + row("shuffle-camera", "last", "20:00:00", "20:00:01")).encode()
    await pipeline.upload("last.csv", last)

    await becomes_what_the_oracle_says(pipeline, AppearanceFile(whole).accepted + AppearanceFile(last).accepted)


async def test_an_appearance_told_by_webhook_and_by_file_counts_once_and_moves_to_its_person(
    pipeline: Pipeline,
) -> None:
    started, recorded = 1_773_136_800.25, 1_773_136_816.5
    live = {
        "event_type": "appearance",
        "event_id": "moving-event",
        "msg_send_timestamp": recorded + 10,
        "camera_data": {"camera_id": "moving-camera", "camera_description": "Aisle"},
        "frame_data": {"utc_time_recorded": recorded},
        "appearance_data": {"appearance_id": "moving-appearance", "utc_time_started": started},
        "match_data": {"poi_id": None},
        "face_features_data": {"age_group_outcome": "20-29", "gender_outcome": None},
    }
    by_webhook = {
        **pipeline.appearance("moving-camera", "moving-appearance", 0),
        "person_id": None,
        "started_at": "2026-03-10T10:00:00.250000Z",
        "ended_at": "2026-03-10T10:00:26.500000Z",
        "reported_at": "2026-03-10T10:00:26.500000Z",
        "age_group": "20-29",
    }
    await pipeline.webhook(live)
    await becomes_what_the_oracle_says(pipeline, [by_webhook])

    content = (HEADER + row("moving-camera", "ann", "10:00:00", "10:00:20", "moving-appearance", "female")).encode()
    await pipeline.upload("named.csv", content)
    await becomes_what_the_oracle_says(pipeline, [by_webhook, *AppearanceFile(content).accepted])

    kept = await pipeline.database.fetch("SELECT * FROM appearances WHERE camera_id = 'moving-camera'")
    assert [(row["appearance_key"], row["subject_id"]) for row in kept] == [("moving-appearance", "ann")]
    listed = await pipeline.get("/api/v1/sessions", {"camera_id": "moving-camera", "from": "2026-03-10T00:00:00Z"})
    assert [session["subject_id"] for session in listed["items"]] == ["ann"]


def overlapping(keys: Collection[int], cameras: int, chance: random.Random) -> bytes:
    """A file of the keys, which have their time whatever the file; camera, person and the rest differ."""
    return (
        HEADER
        + "".join(
            row(
                f"undone-camera-{key % cameras}",
                f"undone-{chance.choice('ab')}",
                clock_time(start := 36_000 + key * 50 + chance.randrange(40)),
                clock_time(start + chance.randrange(60)),
                f"undone-{key}",
                chance.choice(["male", "female"]),
            )
            for key in keys
        )
    ).encode()


async def test_an_upload_that_is_taken_back_leaves_what_the_others_reported(pipeline: Pipeline) -> None:
    """And so it does when the services die while it is taken back."""
    chance = random.Random(5)
    kept, undone = overlapping(range(300), 2, chance), overlapping(range(200, 700), 4, chance)
    insight = {"event_id": "undone-insight", "camera_id": "undone-camera-0", "utc_time_recorded": "2026-03-10 13:00:00"}
    both = AppearanceFile(kept).accepted + AppearanceFile(undone).accepted
    cameras = {report["camera_id"] for report in both}
    await pipeline.upload("kept.csv", kept)
    uploads = [
        await pipeline.upload("undone.csv", undone),
        await pipeline.upload("undone.json", msgspec.json.encode([insight])),
    ]
    await becomes_what_the_oracle_says(pipeline, both)
    await stored.becomes(partial(insight_ids, pipeline, cameras), {"undone-insight"})

    async with EventProducer(pipeline.kafka, "test", linger_ms=5) as producer:
        for topic, upload in zip((Topic.APPEARANCES, Topic.INSIGHTS), uploads, strict=True):
            origin = f"upload:{upload['upload_id']}"
            items = cast(list[Any], await read_items(pipeline.kafka, topic))
            told = [item for item in items if origin_of(item.source) == origin]
            for first in range(0, len(told), 100):
                await producer.publish(
                    topic, [replace(each, withdrawn=True) for each in told[first : first + 100]], origin
                )
                if first == 200:
                    for name in ("processor", "sink", "insights"):
                        pipeline.processes.kill(name)
    await pipeline.processes.start("processor", "sink", "insights")

    nothing: set[str] = set()
    await becomes_what_the_oracle_says(pipeline, AppearanceFile(kept).accepted, cameras)
    await stored.becomes(partial(insight_ids, pipeline, cameras), nothing)
    query = "SELECT count(*) FROM appearances WHERE camera_id = ANY($1)"
    assert await pipeline.database.fetchval(query, list(cameras)) == 300


async def insight_ids(pipeline: Pipeline, cameras: Collection[str]) -> set[str]:
    return {each[0] for each in (await stored.insights(pipeline.database, cameras)).values()}


async def test_services_killed_at_work_lose_nothing_and_count_nothing_twice(pipeline: Pipeline) -> None:
    chance = random.Random(11)
    rows = []
    for n in range(3000):
        second = chance.randrange(20_000)
        start, end = (clock_time(36_000 + t) for t in (second, second + chance.randrange(90)))
        gender = chance.choice(["", "male", "female"])
        rows.append(row(f"killed-camera-{n % 6}", f"p{chance.randrange(40)}", start, end, gender=gender))
    for part, killed in enumerate((("processor", "sink"), ("insights", "processor"), ("sink", "insights"))):
        # Parts overlap: what was on its way when the processes died comes once more, too.
        content = (HEADER + "".join(rows[part * 900 : part * 900 + 1200])).encode()
        await pipeline.upload(f"part-{part}.csv", content)
        for name in killed:
            pipeline.processes.kill(name)
        await pipeline.processes.start(*killed)
    await becomes_what_the_oracle_says(pipeline, AppearanceFile((HEADER + "".join(rows)).encode()).accepted)
