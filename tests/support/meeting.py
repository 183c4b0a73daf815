"""Reports that keep meeting each other."""

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from services.common.events.appearances import Appearance, subject_id_of
from services.common.events.common import OTHER

T0 = datetime(2026, 3, 2, tzinfo=UTC)
CAMERA = "cam-1"

BEGINNINGS = st.sampled_from(
    [
        T0,
        datetime(2024, 2, 28, 23, 55, tzinfo=UTC),  # into a leap day
        datetime(2024, 2, 29, 23, 55, tzinfo=UTC),  # and out of it
        datetime(2026, 3, 29, 0, 55, tzinfo=UTC),  # clocks go forward in Europe
        datetime(2026, 10, 25, 0, 55, tzinfo=UTC),  # and back
        datetime(2026, 12, 31, 23, 55, tzinfo=UTC),
    ]
)


@st.composite
def a_report(draw: st.DrawFn, beginning: datetime = T0) -> Appearance:
    """Few keys, people and instants, so that reports meet: same key, exact gaps, bridges and moves are all common."""
    key = f"k{draw(st.integers(0, 7))}"
    start = draw(st.integers(0, 20)) * 30
    started_at = beginning + timedelta(seconds=start, microseconds=draw(st.sampled_from([0, 0, 0, 1])))
    person = draw(st.sampled_from([None, None, "ann", "bob"]))
    poi = draw(st.sampled_from([None, None, None, "7"]))
    return Appearance(
        appearance_key=key,
        camera_id=CAMERA,
        subject_id=subject_id_of(person, poi, key),
        started_at=started_at,
        ended_at=started_at + timedelta(seconds=draw(st.sampled_from([0, 1, 30, 90]))),
        reported_at=beginning + timedelta(seconds=draw(st.integers(0, 3))),
        source="test",
        person_id=person,
        poi_id=poi,
        age_group=draw(st.sampled_from([OTHER, "adult", "teen"])),
        gender=draw(st.sampled_from([OTHER, "male"])),
    )
