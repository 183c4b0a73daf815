"""Sessions and occupancy: what the appearances of a camera amount to."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from services.common.events.common import Instant, Revision, Seconds


class Session(Struct, kw_only=True, frozen=True, gc=False):
    """One stay of one subject at one camera: the union of its appearances that lie at most `gap` apart.

    `session_id` is a hash of the camera, the subject and the session's earliest appearance, so that the same facts
    give the same id in whatever order they came. When a session turns out to belong to another, its record comes once
    more with ``status: "absorbed"`` and the id of the other one.
    """

    session_id: str
    camera_id: str
    subject_id: str
    started_at: Instant
    ended_at: Instant
    dwell_seconds: Annotated[Seconds, Meta(description="ended_at - started_at")]
    visible_seconds: Annotated[Seconds, Meta(description="length of the union of the session's appearances")]
    appearance_count: Annotated[int, Meta(ge=1, description="distinct appearance keys")]
    age_group: str
    gender: str
    status: Literal["active", "absorbed"]
    revision: Revision
    absorbed_into: str | None = None
    partial: Annotated[
        bool,
        Meta(
            description="true when earlier appearances that may belong to it are no longer at hand where it was "
            "computed: a whole record with a greater revision follows"
        ),
    ] = False


def revision_after(offset: int) -> int:
    """Revision of the session records that the appearances record at `offset` causes. They are even."""
    return 2 * (offset + 1)


def revision_of_repair(revision: int) -> int:
    """Revision of what replaces a record that was computed without all its appearances: odd, and below the next."""
    return revision | 1


def appearances_before(revision: int) -> int:
    """How far the appearances of a partition must be known, as an offset, to judge session records of `revision`."""
    return revision // 2


class OccupancyMinute(Struct, kw_only=True, frozen=True, gc=False):
    """How full a camera was in one minute; a session counts at `t` where ``started_at <= t < ended_at``."""

    camera_id: str
    minute: Annotated[Instant, Meta(description="the minute's start")]
    occupancy_avg: Annotated[float, Meta(ge=0, description="overlapped seconds / 60")]
    occupancy_peak: Annotated[int, Meta(ge=0, description="most sessions at once within the minute")]
    entries: Annotated[int, Meta(ge=0, description="sessions that start in the minute")]
    exits: Annotated[int, Meta(ge=0, description="sessions that end in the minute")]
    revision: Revision
