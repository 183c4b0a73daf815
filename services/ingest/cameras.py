"""What the sources tell of cameras in passing, kept so that every camera can be told of again and again."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from msgspec.structs import replace

from services.common.events.appearances import Appearance
from services.common.events.cameras import Camera
from services.common.events.insights import InsightEvent

DESCRIBED = ("description", "camera_group", "department", "division", "zone")

_Said = tuple[str, tuple[str | None, ...]]
"""A camera, and what a report says of it in the order of `DESCRIBED`."""


class CameraBook:
    """Every camera ever seen, by source.

    A source that speaks is alive, and so are all its cameras, whether or not anybody walks past them. One that is
    silent keeps the time at which it last spoke.
    """

    def __init__(self) -> None:
        self._cameras: dict[tuple[str, str], Camera] = {}
        self._spoke_at: dict[str, datetime] = {}

    def remember(self, cameras: Iterable[Camera]) -> None:
        """What an earlier process told of them."""
        for camera in cameras:
            self._cameras[camera.source, camera.camera_id] = camera
            self.spoke(camera.source, camera.heartbeat_at)

    def spoke(self, source: str, at: datetime) -> None:
        self._spoke_at[source] = max(at, self._spoke_at.get(source, at))

    def spoke_at(self, source: str) -> datetime | None:
        return self._spoke_at.get(source)

    def saw(self, source: str, appearances: Iterable[Appearance], insights: Iterable[InsightEvent]) -> None:
        """What the facts tell of their cameras; a later one's word holds where two differ."""
        # Nearly all say the same of a camera but for the time.
        said: dict[_Said, datetime] = {}
        for fact in appearances:
            words = (fact.camera_description, fact.camera_group, fact.department, fact.division, fact.zone)
            place: _Said = (fact.camera_id, words)
            said[place] = max(fact.ended_at, said.pop(place, fact.ended_at))
        for insight in insights:
            place = (insight.camera_id, (insight.camera_description, None, None, None, None))
            said[place] = max(insight.started_at, said.pop(place, insight.started_at))
        for (camera_id, told), seen_at in said.items():
            self._saw(source, camera_id, seen_at, dict(zip(DESCRIBED, told, strict=True)))

    def _saw(self, source: str, camera_id: str, seen_at: datetime, told: Mapping[str, str | None]) -> None:
        known = self._cameras.get((source, camera_id)) or Camera(
            camera_id=camera_id, source=source, heartbeat_at=self._spoke_at[source]
        )
        self._cameras[source, camera_id] = replace(
            known,
            last_seen_at=max(seen_at, known.last_seen_at or seen_at),
            **{name: value for name, value in told.items() if value},
        )

    def all(self) -> list[Camera]:
        """Every camera as it is now."""
        return [replace(camera, heartbeat_at=self._spoke_at[source]) for (source, _), camera in self._cameras.items()]
