from datetime import timedelta

from msgspec.structs import replace

from services.common.events.appearances import Appearance
from services.common.events.cameras import Camera
from services.common.events.insights import InsightEvent
from services.ingest.cameras import CameraBook
from tests.support.vendor_events import NOON

SOURCE = "corsight:webhook"

APPEARANCE = Appearance(
    appearance_key="a",
    camera_id="c1",
    subject_id="track:a",
    started_at=NOON - timedelta(seconds=30),
    ended_at=NOON - timedelta(seconds=1),
    reported_at=NOON,
    source=SOURCE,
    camera_description="Main entrance",
    camera_group="Riverside",
)


def after(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


class TestCameraBook:
    def test_a_camera_is_known_once_it_saw_anybody(self) -> None:
        book = CameraBook()
        book.spoke(SOURCE, NOON)
        assert book.all() == []
        book.saw(SOURCE, [APPEARANCE], [])
        assert book.all() == [
            Camera(
                camera_id="c1",
                source=SOURCE,
                heartbeat_at=NOON,
                last_seen_at=APPEARANCE.ended_at,
                description="Main entrance",
                camera_group="Riverside",
            )
        ]

    def test_every_camera_of_a_source_that_speaks_is_alive_though_nobody_is_seen(self) -> None:
        book = CameraBook()
        book.spoke(SOURCE, NOON)
        book.saw(SOURCE, [APPEARANCE], [])
        book.spoke(SOURCE, NOON + after(10))
        [camera] = book.all()
        assert camera.heartbeat_at == NOON + after(10)
        assert camera.last_seen_at == APPEARANCE.ended_at

    def test_what_a_later_report_does_not_say_stays_and_the_newest_sighting_counts(self) -> None:
        book = CameraBook()
        book.spoke(SOURCE, NOON)
        book.saw(SOURCE, [APPEARANCE], [])
        quiet = replace(APPEARANCE, ended_at=NOON - after(20), camera_description=None, zone="Hall")
        book.saw(SOURCE, [quiet], [])
        insight = InsightEvent(
            insight_id="i", kind="crowd", camera_id="c1", started_at=NOON, reported_at=NOON, source=SOURCE
        )
        book.saw(SOURCE, [], [insight])
        [camera] = book.all()
        assert (camera.description, camera.zone, camera.last_seen_at) == ("Main entrance", "Hall", NOON)

    def test_of_many_reports_at_once_the_last_word_holds_and_the_newest_sighting(self) -> None:
        book = CameraBook()
        book.spoke(SOURCE, NOON)
        renamed = replace(APPEARANCE, ended_at=NOON - after(20), camera_description="North door")
        book.saw(SOURCE, [APPEARANCE, renamed, APPEARANCE, replace(renamed, ended_at=NOON - after(30))], [])
        [camera] = book.all()
        assert (camera.description, camera.last_seen_at) == ("North door", APPEARANCE.ended_at)

    def test_after_a_restart_cameras_are_told_of_with_the_time_at_which_their_source_last_spoke(self) -> None:
        book = CameraBook()
        earlier = Camera(camera_id="c1", source=SOURCE, heartbeat_at=NOON - after(300), description="Main entrance")
        book.remember([earlier, replace(earlier, camera_id="c2", heartbeat_at=NOON - after(310))])
        assert {camera.heartbeat_at for camera in book.all()} == {NOON - after(300)}
        book.spoke(SOURCE, NOON)
        assert [camera.camera_id for camera in book.all() if camera.heartbeat_at == NOON] == ["c1", "c2"]
