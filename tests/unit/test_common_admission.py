from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest

from services.common.events.admission import refusal
from services.common.events.appearances import Appearance
from services.common.events.common import EARLIEST, LATEST
from services.common.kafka.envelopes import BadItem, Decoded
from services.common.kafka.quarantine import camera_of
from services.common.topics import Topic
from services.gateway.settings import GatewaySettings
from services.insights.settings import InsightsSettings
from services.processor.settings import ProcessorSettings
from services.sink.settings import SinkSettings

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
DAY = timedelta(days=1)
REPORT = Appearance(
    appearance_key="a",
    camera_id="c1",
    subject_id="p",
    started_at=NOON,
    ended_at=NOON,
    reported_at=NOON,
    source="upload:1#2",
)


def reason(key: bytes | None = b"c1", **fields: datetime) -> str | None:
    found = refusal(msgspec.structs.replace(REPORT, **fields), key, DAY)
    return found[0] if found else None


def test_a_dwell_of_nothing_and_one_at_the_limit_are_taken() -> None:
    assert (reason(), reason(ended_at=NOON + DAY)) == (None, None)


@pytest.mark.parametrize("key", [None, b"c2", b"c1\xff"])
def test_a_report_under_another_key_is_refused(key: bytes | None) -> None:
    assert reason(key) == "schema_violation"


def test_an_end_before_the_start_and_a_dwell_above_the_limit_are_refused() -> None:
    microsecond = timedelta(microseconds=1)
    assert reason(ended_at=NOON - microsecond) == "negative_dwell"
    assert reason(ended_at=NOON + DAY + microsecond) == "implausible_dwell"


@pytest.mark.parametrize("instant", [EARLIEST, LATEST])
def test_the_first_and_the_last_plausible_instant_are_taken(instant: datetime) -> None:
    assert reason(started_at=instant, ended_at=instant) is None


@pytest.mark.parametrize(
    "instant",
    [
        EARLIEST - timedelta(microseconds=1),
        LATEST + timedelta(microseconds=1),
        datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14))),
        datetime.max.replace(tzinfo=timezone(-timedelta(hours=12))),
    ],
)
def test_an_instant_outside_the_years_of_cameras_is_refused(instant: datetime) -> None:
    assert reason(started_at=instant, ended_at=instant) == "bad_timestamp"
    assert reason(started_at=instant) == "bad_timestamp"
    assert reason(ended_at=instant) == "bad_timestamp"


def test_what_is_refused_late_keeps_the_position_it_had_in_the_record() -> None:
    unreadable = BadItem(b"{", "bad_json", "no end", 1)
    decoded = Decoded(["a", "b", "c"], [unreadable]).admit(lambda item: ("why", "words") if item == "b" else None)
    assert list(decoded.placed()) == [(0, "a"), (3, "c")]
    assert decoded.bad == [unreadable, BadItem(b'"b"', "why", "words", 2)]


def test_a_key_is_a_camera_only_where_the_topic_says_so_and_the_database_can_hold_it() -> None:
    assert camera_of(Topic.APPEARANCES, b"c1") == "c1"
    assert [camera_of(Topic.APPEARANCES, key) for key in (None, b"c\0", b"\xff")] == [None] * 3
    assert camera_of(Topic.ALERT_RULES, b"r1") is None


@pytest.mark.parametrize("settings", [GatewaySettings, InsightsSettings, ProcessorSettings, SinkSettings])
def test_one_variable_sets_the_longest_dwell_everywhere(
    monkeypatch: pytest.MonkeyPatch,
    settings: type[GatewaySettings | InsightsSettings | ProcessorSettings | SinkSettings],
) -> None:
    monkeypatch.delenv("DWELL_IMPLAUSIBLE_DWELL_HOURS", raising=False)
    assert settings().implausible_dwell_hours == 24
    monkeypatch.setenv("DWELL_IMPLAUSIBLE_DWELL_HOURS", "12")
    assert settings().implausible_dwell_hours == 12
