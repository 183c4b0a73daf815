"""What the sources tell of cameras in passing, kept so that every camera can be told of again and again."""

from collections.abc import Iterable
from datetime import datetime

from msgspec.structs import replace

from services.common.events.appearances import Appearance
from services.common.events.cameras import Camera
from services.common.events.insights import InsightEvent

DESCRIBED = ("description", "camera_group", "department", "division", "zone")


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

    def saw(self, source: str, fact: Appearance | InsightEvent) -> None:
        known = self._cameras.get((source, fact.camera_id)) or Camera(
            camera_id=fact.camera_id, source=source, heartbeat_at=self._spoke_at[source]
        )
        seen_at = fact.ended_at if isinstance(fact, Appearance) else fact.started_at
        told = {"description": fact.camera_description}
        if isinstance(fact, Appearance):
            told |= {name: getattr(fact, name) for name in DESCRIBED[1:]}
        self._cameras[source, fact.camera_id] = replace(
            known,
            last_seen_at=max(seen_at, known.last_seen_at or seen_at),
            **{name: value for name, value in told.items() if value},
        )

    def all(self) -> list[Camera]:
        """Every camera as it is now."""
        return [replace(camera, heartbeat_at=self._spoke_at[source]) for (source, _), camera in self._cameras.items()]
