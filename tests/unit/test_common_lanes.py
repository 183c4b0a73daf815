from typing import Any

import pytest

from services.common.lanes import by_lane, is_forensic, lane_of
from services.common.topics import Topic
from tests.support.vendor_events import appearance_event, crowd_event, fact_of

FORENSIC: list[dict[str, Any]] = [
    {"camera_data": {"analysis_mode": "forensics"}},
    {"camera_data": {"analysis_mode": " Investigate"}},
    {"analysis_mode": "FORENSIC"},
]
LIVE: list[dict[str, Any]] = [
    {},
    {"camera_data": None},
    {"camera_data": {"analysis_mode": "live"}},
    {"camera_data": {"analysis_mode": None}},
    {"analysis_mode": "Live "},
    {"analysis_mode": ""},
    {"analysis_mode": "not_determined"},
    {"analysis_mode": 3},
]


@pytest.mark.parametrize("told", FORENSIC, ids=str)
def test_every_mode_but_live_is_of_recorded_video(told: dict[str, Any]) -> None:
    assert is_forensic(told)


@pytest.mark.parametrize("told", LIVE, ids=str)
def test_a_mode_that_nobody_tells_is_live(told: dict[str, Any]) -> None:
    assert not is_forensic(told)


def test_recorded_video_never_meets_what_is_live() -> None:
    live, recorded, crowd = (
        fact_of(appearance_event()),
        fact_of(appearance_event(2, analysis_mode="forensics")),
        fact_of(crowd_event()),
    )
    assert [lane_of(fact) for fact in (live, recorded, crowd)] == [
        Topic.APPEARANCES,
        Topic.APPEARANCES_FORENSIC,
        Topic.INSIGHTS,
    ]
    assert by_lane([live, recorded, live]) == {Topic.APPEARANCES: [live, live], Topic.APPEARANCES_FORENSIC: [recorded]}
