"""Camera descriptions and heartbeats."""

from typing import Annotated

from msgspec import Meta, Struct

from services.common.events.common import Instant


class Camera(Struct, kw_only=True, frozen=True):
    """What a live source knows of a camera now; the latest `heartbeat_at` holds."""

    camera_id: str
    source: str
    heartbeat_at: Annotated[Instant, Meta(description="when the source last spoke, whether or not anybody was seen")]
    last_seen_at: Annotated[Instant | None, Meta(description="newest event time of this camera")] = None
    description: str | None = None
    camera_group: str | None = None
    department: str | None = None
    division: str | None = None
    zone: str | None = None
