"""Reads against hand-made rows: what the numbers mean, filter by filter."""

import csv
import io
import random
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pandas as pd
import pytest
import pytest_asyncio
from aiokafka.errors import KafkaError

from services.common import clock
from services.common.kafka.lag import LagProbe
from services.gateway.queries.dwell import BIN_STARTS
from services.gateway.queries.sessions import EXPORT_COLUMNS
from tests import oracle
from tests.support.databases import fresh_database
from tests.support.environment import environment
from tests.support.facts import NOON, alert, appearance, insight, session, store
from tests.support.gateway import Gateway, gateway_settings, running_gateway
from tests.support.kafka import make_topics_empty
from tests.support.servers import Servers
from tests.support.waiting import wait_until

pytestmark = pytest.mark.asyncio(loop_scope="module")

TABLES = "sessions, appearances, cameras, alerts, alert_acknowledgements, insights, occupancy_minutes, quarantine"

DAY = {"from": "2026-03-10", "to": "2026-03-11"}

CAMERAS = [
    {"camera_id": "door", "description": "Front Door", "camera_group": "North", "department": "d1", "zone": "hall"},
    {"camera_id": "till", "description": "Till 1", "camera_group": "North", "division": "v1"},
    {"camera_id": "aisle", "description": "Aggregate still life", "camera_group": "South"},
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    await make_topics_empty(servers.kafka)
    async with fresh_database(servers.postgres) as database:
        env = environment(servers, database, tmp_path_factory.mktemp("reads"))
        async with running_gateway(gateway_settings(env, session_gap_overrides={"door": 600})) as gateway:
            yield gateway


@pytest_asyncio.fixture(loop_scope="module")
async def gateway(running: Gateway) -> Gateway:
    """Nothing stored but the cameras."""
    await running.database.execute(f"TRUNCATE {TABLES}")
    await store(running.database, "cameras", CAMERAS)
    return running


def some_sessions(seed: int, count: int = 300) -> list[dict[str, Any]]:
    """Over four days, some without length, some touching, some absorbed."""
    dice = random.Random(seed)
    found = []
    for number in range(count):
        start = dice.randrange(0, 4 * 86_400, 30) + dice.choice([0, 0, 0.25])
        found.append(
            session(
                dice.choice([f"p{dice.randrange(60)}", f"track:t{number}"]),
                dice.choice(["door", "till", "aisle", "unknown"]),
                start,
                dice.choice([0, 30, 60, 599.5, 600, 601, 5_000]),
                session_id=f"s{number:04}",
                age_group=dice.choice(["20-29", "30-39", "other"]),
                gender=dice.choice(["male", "female", "other"]),
                appearance_count=dice.randint(1, 5),
                status="absorbed" if dice.random() < 0.05 else "active",
            )
        )
    return found


def kept(sessions: list[dict[str, Any]], start: datetime, end: datetime) -> pd.DataFrame:
    active = [row for row in sessions if row["status"] == "active" and start <= row["started_at"] < end]
    frame = pd.DataFrame(active)
    for name in ("started_at", "ended_at"):
        frame[name] = pd.to_datetime(frame[name], utc=True).astype("datetime64[us, UTC]")
    return frame


@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
async def test_the_cards_are_the_oracles(gateway: Gateway, zone: str) -> None:
    sessions = some_sessions(1)
    await store(gateway.database, "sessions", sessions)
    found = await gateway.get("analytics/summary", **{"from": "2026-03-01", "to": "2026-04-01", "tz": zone})
    stores = {camera["camera_id"]: str(camera["camera_group"]) for camera in CAMERAS}
    expected = oracle.summary(kept(sessions, datetime(2026, 1, 1, tzinfo=UTC), clock.now()), stores, zone)
    for name in ("visitors", "visitors_anonymous", "visits", "sessions", "repeat_visitors", "waiting_violations"):
        assert found[name] == expected[name], name
    assert found["occupancy_peak"] == expected["occupancy_peak"]
    for name in ("dwell_avg_seconds", "dwell_median_seconds", "dwell_p95_seconds", "dwell_max_seconds"):
        assert found[name] == pytest.approx(expected[name]), name
    assert datetime.fromisoformat(found["peak_hour"]) == expected["peak_hour"]
    assert found["timezone"] == zone


async def test_a_session_belongs_to_the_range_in_which_it_starts(gateway: Gateway) -> None:
    at = 12 * 3_600
    await store(
        gateway.database,
        "sessions",
        [session("before", "door", at - 1, 10), session("at", "door", at, 10), session("after", "door", at + 1, 10)],
    )
    assert (await gateway.get("analytics/summary", **DAY))["visitors"] == 1
    later = await gateway.get("sessions", **{"from": "2026-03-11", "to": "2026-03-12"})
    assert [row["subject_id"] for row in later["items"]] == ["after", "at"]


async def test_an_empty_range_has_no_dwell_and_no_peak_hour(gateway: Gateway) -> None:
    found = await gateway.get("analytics/summary", **DAY)
    assert (found["visitors"], found["occupancy_peak"], found["visits"]) == (0, 0, 0)
    assert found["dwell_avg_seconds"] is found["peak_hour"] is found["data_as_of"] is None


async def test_every_filter_narrows_and_values_of_one_filter_add_up(gateway: Gateway) -> None:
    await store(
        gateway.database,
        "sessions",
        [
            session("a", "door", 0, 10, gender="male", age_group="20-29"),
            session("b", "till", 0, 100, gender="female", age_group="20-29"),
            session("c", "aisle", 0, 1_000, gender="female", age_group="70-"),
        ],
    )
    for given, expected in (
        ({"camera_id": "door"}, "a"),
        ({"camera_id": ["door", "aisle"]}, "ac"),
        ({"camera_group": "North"}, "ab"),
        ({"camera_group": ["North", "South"]}, "abc"),
        ({"camera_group": "North", "camera_id": "aisle"}, ""),
        ({"department": "d1"}, "a"),
        ({"division": "v1"}, "b"),
        ({"zone": "hall"}, "a"),
        ({"camera_category": "entrance"}, "a"),
        ({"camera_category": "cashier"}, "b"),
        ({"camera_category": "store"}, "c"),
        ({"gender": "female"}, "bc"),
        ({"age_group": ["20-29", "70-"], "gender": "female"}, "bc"),
        ({"min_dwell": 100}, "bc"),
        ({"max_dwell": 100}, "ab"),
        ({"min_dwell": 100, "max_dwell": 100}, "b"),
        ({"camera_id": "x'; DROP TABLE sessions; --"}, ""),
    ):
        rows = (await gateway.get("sessions", **DAY, **given))["items"]
        assert "".join(sorted(row["subject_id"] for row in rows)) == expected, given
        assert (await gateway.get("analytics/summary", **DAY, **given))["visitors"] == len(expected), given
        assert (await gateway.get("analytics/dwell/histogram", **DAY, **given))["sessions"] == len(expected), given
        assert (await gateway.get("analytics/demographics", **DAY, **given))["sessions"] == len(expected), given
        timeline = await gateway.get("analytics/occupancy/timeline", **DAY, **given)
        assert sum(point["entries"] for point in timeline["points"]) == len(expected), given


async def test_with_compare_each_card_tells_its_change_against_the_day_before(gateway: Gateway) -> None:
    await store(
        gateway.database,
        "sessions",
        [session("a", "door", -86_400, 10), session("b", "door", 0, 20), session("c", "door", 0, 20)],
    )
    found = (await gateway.get("analytics/summary", **DAY, compare="previous"))["compare"]
    assert found["visitors"] == {"previous": 1.0, "ratio": 1.0}
    assert found["dwell_avg_seconds"] == {"previous": 10.0, "ratio": 1.0}
    assert found["waiting_violations"] == {"previous": 0.0, "ratio": None}
    assert "occupancy_now" not in found
    assert (await gateway.get("analytics/summary", **DAY))["compare"] is None


async def test_who_is_there_now_was_seen_within_the_gap_of_the_camera(gateway: Gateway) -> None:
    now = (clock.now() - NOON).total_seconds()
    await store(
        gateway.database,
        "sessions",
        [
            session("here", "till", now - 90, 60),
            session("gone", "till", now - 300, 60),
            session("here by the door's longer gap", "door", now - 300, 60),
            session("not yet", "till", now + 100, 60),
        ],
    )
    assert (await gateway.get("analytics/summary", **DAY))["occupancy_now"] == 2
    assert (await gateway.get("analytics/summary", **DAY, camera_id="till"))["occupancy_now"] == 1
    live = await gateway.get("sessions")
    assert {row["subject_id"]: row["open"] for row in live["items"]} == {
        "here": True,
        "gone": False,
        "here by the door's longer gap": True,
    }


async def test_appearances_count_by_camera_and_their_own_demographics(gateway: Gateway) -> None:
    await store(
        gateway.database,
        "appearances",
        [appearance("a", "door", 0, gender="male"), appearance("b", "till", 0), appearance("a", "door", 43_200)],
    )
    assert (await gateway.get("analytics/summary", **DAY))["appearances"] == 2
    assert (await gateway.get("analytics/summary", **DAY, gender="male"))["appearances"] == 1
    assert (await gateway.get("analytics/summary", **DAY, camera_group="North", camera_id="till"))["appearances"] == 1


async def test_the_timeline_of_one_camera_holds_the_oracles_minutes(gateway: Gateway) -> None:
    sessions = some_sessions(2)
    await store(gateway.database, "sessions", sessions)
    start, end = NOON + timedelta(hours=20), NOON + timedelta(hours=40)
    timeline = await gateway.get(
        "analytics/occupancy/timeline",
        **{"from": start.isoformat(), "to": end.isoformat(), "camera_id": "till", "bucket": 60},
    )
    assert len(timeline["points"]) == 20 * 60
    of_camera = [row for row in sessions if row["camera_id"] == "till"]
    minutes = oracle.occupancy_minutes(kept(of_camera, NOON - timedelta(days=1), end + timedelta(days=9)))
    expected = {row.minute: row for row in minutes.itertuples()}
    for point in timeline["points"]:
        minute = expected.get(pd.Timestamp(point["bucket"]))
        found = (point["occupancy_peak"], point["entries"], point["exits"])
        assert found == ((minute.occupancy_peak, minute.entries, minute.exits) if minute else (0, 0, 0))
        assert point["occupancy_avg"] == pytest.approx(minute.occupancy_avg if minute else 0.0)


async def test_over_several_cameras_and_wider_buckets_all_sessions_count_together(gateway: Gateway) -> None:
    await store(
        gateway.database,
        "sessions",
        [
            session("carried in", "door", -60, 90),
            session("a", "till", 0, 900),
            session("b", "aisle", 900, 900),
            session("no length", "aisle", 100, 0),
        ],
    )
    timeline = await gateway.get(
        "analytics/occupancy/timeline",
        **{"from": "2026-03-10T12:00:00Z", "to": "2026-03-10T14:00:00Z", "bucket": 3_600, "tz": "Asia/Kolkata"},
    )
    shown = [
        (point["bucket"], point["occupancy_peak"], point["entries"], point["exits"]) for point in timeline["points"]
    ]
    assert shown == [
        ("2026-03-10T17:00:00+05:30", 2, 3, 3),
        ("2026-03-10T18:00:00+05:30", 0, 0, 1),
        ("2026-03-10T19:00:00+05:30", 0, 0, 0),
    ]
    # Half an hour of the first bucket lies within the range: 30 + 900 + 900 seconds of 1,800.
    assert timeline["points"][0]["occupancy_avg"] == pytest.approx(1_830 / 1_800)
    assert (await gateway.get("analytics/summary", **DAY))["occupancy_peak"] == 2


async def test_days_of_the_timeline_are_the_zones_own(gateway: Gateway) -> None:
    timeline = await gateway.get(
        "analytics/occupancy/timeline",
        **{"from": "2026-03-28", "to": "2026-03-31", "tz": "Europe/Berlin", "bucket": 86_400},
    )
    assert [point["bucket"] for point in timeline["points"]] == [
        "2026-03-28T00:00:00+01:00",
        "2026-03-29T00:00:00+01:00",
        "2026-03-30T00:00:00+02:00",
    ]


async def test_a_bucket_that_has_not_ended_says_so(gateway: Gateway) -> None:
    points = (await gateway.get("analytics/occupancy/timeline"))["points"]
    assert {point["in_progress"] for point in points[:-1]} == {False}
    assert points[-1]["in_progress"] is True


async def test_a_timeline_has_at_most_2000_points(gateway: Gateway) -> None:
    year = {"from": "2025-01-01", "to": "2026-01-01"}
    found = await gateway.get("analytics/occupancy/timeline", **year)
    assert (found["bucket_seconds"], len(found["points"])) == (6 * 3_600, 365 * 4)
    answer = await gateway.http.get("/api/v1/analytics/occupancy/timeline", params={**year, "bucket": 60})
    assert answer.status_code == 422


async def test_the_histogram_is_the_oracles(gateway: Gateway) -> None:
    sessions = some_sessions(3)
    await store(gateway.database, "sessions", sessions)
    found = await gateway.get("analytics/dwell/histogram", **{"from": "2026-03-01", "to": "2026-04-01"})
    frame = kept(sessions, datetime(2026, 1, 1, tzinfo=UTC), clock.now())
    assert [row["sessions"] for row in found["bins"]] == oracle.dwell_histogram(frame, BIN_STARTS)
    assert found["bins"][-1]["to_seconds"] is None
    assert found["sessions"] == len(frame)
    assert found["dwell_median_seconds"] == pytest.approx(frame["dwell_seconds"].quantile(0.5))


async def test_demographics_count_people_and_sessions_by_group(gateway: Gateway) -> None:
    await store(
        gateway.database,
        "sessions",
        [
            session("a", "door", 0, 10, gender="male", age_group="20-29"),
            session("a", "door", 600, 30, gender="male", age_group="20-29"),
            session("b", "door", 0, 5),
        ],
    )
    found = await gateway.get("analytics/demographics", **DAY)
    assert [(g["age_group"], g["gender"], g["visitors"], g["sessions"]) for g in found["groups"]] == [
        ("20-29", "male", 1, 2),
        ("other", "other", 1, 1),
    ]
    assert found["groups"][0]["dwell_avg_seconds"] == found["groups"][0]["dwell_median_seconds"] == 20.0


@pytest.mark.parametrize("sort", ["started_at", "-started_at", "dwell_seconds", "-dwell_seconds", "-camera_id"])
async def test_pages_hold_every_session_once_in_the_order_asked_for(gateway: Gateway, sort: str) -> None:
    sessions = some_sessions(4, 60)
    await store(gateway.database, "sessions", sessions)
    active = [row for row in sessions if row["status"] == "active"]
    asked = {"from": "2026-03-01", "to": "2026-04-01", "sort": sort, "limit": 7}
    found: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        page = await gateway.get("sessions", **asked, **cursor)
        found += page["items"]
        assert page["total"] == len(active)
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    column = sort.removeprefix("-")
    expected = sorted(active, key=lambda row: (row[column], row["session_id"]), reverse=sort.startswith("-"))
    assert [row["session_id"] for row in found] == [row["session_id"] for row in expected]


async def test_a_cursor_of_another_order_is_refused(gateway: Gateway) -> None:
    await store(gateway.database, "sessions", some_sessions(5, 60))
    asked: dict[str, Any] = {"from": "2026-03-01", "to": "2026-04-01", "limit": 5}
    cursor = (await gateway.get("sessions", **asked))["next_cursor"]
    answer = await gateway.http.get("/api/v1/sessions", params={**asked, "sort": "dwell_seconds", "cursor": cursor})
    assert answer.status_code == 422


async def test_the_export_holds_the_whole_set_and_runs_no_formula(gateway: Gateway) -> None:
    sessions = [session(f"p{number}", "door", number, 10) for number in range(2_500)]
    sessions[0] |= {"subject_id": "=1+1", "session_id": "+x"}
    await store(gateway.database, "sessions", [*sessions, session("x", "door", 0, 10, status="absorbed")])
    answer = await gateway.http.get("/api/v1/sessions.csv", params=DAY)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="sessions.csv"'
    header, *rows = list(csv.reader(io.StringIO(answer.text, newline="")))
    assert tuple(header) == EXPORT_COLUMNS
    assert len(rows) == 2_500
    assert rows[0] == [
        "'+x", "door", "'=1+1", "2026-03-10T12:00:00.000000+00:00", "2026-03-10T12:00:10.000000+00:00", "10.0", "10.0",
        "1", "other", "other", "Front Door", "North", "d1", "", "hall", "entrance",
    ]  # fmt: skip
    action = await gateway.database.fetchval("SELECT action FROM audit ORDER BY audit_id DESC LIMIT 1")
    assert action == "export_sessions"


async def test_insights_are_listed_newest_first_and_by_kind(gateway: Gateway) -> None:
    await store(
        gateway.database,
        "insights",
        [
            insight("i1", "door", 0),
            insight("i2", "till", 60, kind="loitering", subject_id="p1", session_id="s1", session_dwell_seconds=5.0),
            insight("i3", "aisle", 120, match="no_occupancy"),
            insight("tomorrow", "door", 86_400),
        ],
    )
    found = await gateway.get("insights", **DAY)
    assert ([row["insight_id"] for row in found["items"]], found["total"]) == (["i3", "i2", "i1"], 3)
    assert [row["insight_id"] for row in (await gateway.get("insights", **DAY, kind="loitering"))["items"]] == ["i2"]
    assert (await gateway.get("insights", **DAY, match="no_occupancy"))["total"] == 1
    assert (await gateway.get("insights", **DAY, camera_group="North"))["total"] == 2
    first = await gateway.get("insights", **DAY, limit=2)
    second = await gateway.get("insights", **DAY, limit=2, cursor=first["next_cursor"])
    assert [row["insight_id"] for row in second["items"]] == ["i1"]
    detail = await gateway.get("insights/i2")
    assert (detail["camera_description"], detail["session_dwell_seconds"]) == ("Till 1", 5.0)
    assert detail["raw"] == {"event_id": "i2"}
    assert (await gateway.http.get("/api/v1/insights/none")).status_code == 404


async def test_insights_go_with_occupancy_hour_by_hour(gateway: Gateway) -> None:
    def minute(hour: int, camera: str, avg: float) -> dict[str, Any]:
        at = NOON + timedelta(hours=hour)
        numbers = {"occupancy_avg": avg, "occupancy_peak": 1, "entries": 0, "exits": 0, "revision": 1}
        return {"camera_id": camera, "minute": at, **numbers}

    minutes = [minute(hour, camera, hour * 6.0) for hour in range(8) for camera in ("door", "till")]
    await store(gateway.database, "occupancy_minutes", minutes)
    reported = [insight(f"i{hour}-{n}", "door", hour * 3_600 + n) for hour in range(8) for n in range(hour)]
    await store(gateway.database, "insights", reported)

    hours = (await gateway.get("insights/hourly", **DAY))["points"]
    assert len(hours) == 24
    assert [(p["insights"], p["occupancy_avg"]) for p in hours[12:20]] == [(h, pytest.approx(h / 5)) for h in range(8)]
    found = await gateway.get("insights/correlation", **DAY)
    assert (found["n"], found["pearson_r"]) == (8, pytest.approx(1.0))
    seven = await gateway.get("insights/correlation", **{**DAY, "from": "2026-03-10T13:00Z"})
    assert seven == {"n": 7, "pearson_r": None}
    flat = await gateway.get("insights/correlation", **DAY, camera_id="till")
    assert flat == {"n": 8, "pearson_r": None}


async def test_alerts_are_listed_and_the_first_to_acknowledge_stays(gateway: Gateway) -> None:
    await store(
        gateway.database,
        "alerts",
        [
            alert("a1", "door", 0),
            alert("a2", "till", 60, status="resolved", ended_at=NOON),
            alert("a3", "aisle", 90_000, live=False),
        ],
    )
    assert [row["alert_id"] for row in (await gateway.get("alerts"))["items"]] == ["a3", "a2", "a1"]
    assert [row["alert_id"] for row in (await gateway.get("alerts", status="open"))["items"]] == ["a3", "a1"]
    assert [row["alert_id"] for row in (await gateway.get("alerts", camera_group="North", limit=1))["items"]] == ["a2"]
    assert (await gateway.get("alerts", **DAY))["total"] == 2
    assert (await gateway.get("analytics/summary", **DAY))["open_alerts"] == 1
    first = await gateway.get("alerts", limit=2)
    assert (await gateway.get("alerts", limit=2, cursor=first["next_cursor"]))["items"][0]["alert_id"] == "a1"

    acknowledged = (await gateway.http.post("/api/v1/alerts/a1/acknowledge")).json()
    assert acknowledged["acknowledged_by"] == "admin@example.com"
    await gateway.database.execute("UPDATE alert_acknowledgements SET acknowledged_by = 'first@example.com'")
    again = await gateway.http.post("/api/v1/alerts/a1/acknowledge")
    assert (again.status_code, again.json()["acknowledged_by"]) == (200, "first@example.com")
    assert again.json() == await gateway.get("alerts/a1")
    for answer in (
        await gateway.http.post("/api/v1/alerts/none/acknowledge"),
        await gateway.http.get("/api/v1/alerts/none"),
    ):
        assert answer.status_code == 404


async def test_filters_offer_what_there_is(gateway: Gateway) -> None:
    await store(
        gateway.database,
        "sessions",
        [session("a", "door", 0, 10, gender="male"), session("b", "door", 86_400, 10, age_group="20-29")],
    )
    found = await gateway.get("filters")
    assert [(camera["camera_id"], camera["camera_category"]) for camera in found["cameras"]] == [
        ("aisle", "store"),
        ("door", "entrance"),
        ("till", "cashier"),
    ]
    assert (found["age_groups"], found["genders"]) == (["20-29", "other"], ["male", "other"])
    assert (found["first_day"], found["last_day"], found["site_timezone"]) == ("2026-03-10", "2026-03-11", "UTC")


async def test_sources_tell_how_far_the_database_is_behind_kafka(gateway: Gateway) -> None:
    async def is_known() -> bool:
        return (await gateway.get("sources"))["sink_lag_records"] is not None

    # On a new Kafka nobody keeps the group's offsets yet.
    await wait_until(is_known)
    await gateway.http.post("/api/v1/alert-rules", json={"name": "x", "kind": "dwell_exceeded", "threshold": 1})
    assert (await gateway.get("sources"))["sink_lag_records"] > 0


async def test_while_kafka_does_not_answer_the_lag_is_not_known(gateway: Gateway) -> None:
    class AwayProbe:
        async def measure(self) -> dict[str, int]:
            raise KafkaError("away")

    opened = gateway.app.state.resources
    gateway.app.state.resources = replace(opened, sink_lag=cast(LagProbe, AwayProbe()))
    found = await gateway.get("sources")
    gateway.app.state.resources = opened
    assert found == {"items": [], "sink_lag_records": None}


async def test_quarantine_is_listed_by_reason_and_source(gateway: Gateway) -> None:
    await store(
        gateway.database,
        "quarantine",
        [
            {
                "quarantine_id": f"q{number}",
                "camera_id": camera,
                "source": source,
                "reason_code": reason,
                "reason": "why",
                "quarantined_at": NOON + timedelta(seconds=number),
                "raw": raw,
            }
            for number, (camera, source, reason, raw) in enumerate(
                [
                    ("door", "upload:1#2", "missing_end", b"p1,door"),
                    (None, "upload:1#3", "bad_encoding", b"\xff\xfe"),
                    ("till", "kafka:appearances.v1/0/7", "bad_json", b"{"),
                ]
            )
        ],
    )
    found = await gateway.get("quarantine")
    assert [row["quarantine_id"] for row in found["items"]] == ["q2", "q1", "q0"]
    assert found["by_reason"] == {"bad_encoding": 1, "bad_json": 1, "missing_end": 1}
    assert found["items"][1]["raw"] == "\ufffd\ufffd"
    assert (await gateway.get("quarantine", source="upload:"))["total"] == 2
    assert (await gateway.get("quarantine", source="upload%"))["total"] == 0
    assert (await gateway.get("quarantine", reason_code=["bad_json", "missing_end"]))["total"] == 2
    assert (await gateway.get("quarantine", camera_id="till"))["total"] == 1
    page = await gateway.get("quarantine", limit=2)
    assert [row["quarantine_id"] for row in (await gateway.get("quarantine", cursor=page["next_cursor"]))["items"]] == [
        "q0"
    ]


async def test_a_value_that_the_database_cannot_hold_is_refused(gateway: Gateway) -> None:
    answer = await gateway.http.get("/api/v1/sessions?camera_id=a%00b")
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
