"""Appearances: what a camera saw, as one report tells it, and how reports of one appearance merge."""

from datetime import datetime
from typing import Annotated, Any

from msgspec import Meta, Raw, Struct, field

from services.common.events.common import OTHER, Instant, canonical_json, isoformat, stable_id


class Appearance(Struct, kw_only=True, frozen=True, gc=False):
    """One report of one continuous sighting of one person by one camera.

    Several reports of the same sighting (an upload, the live feed, a webhook, the history) share `appearance_key`.
    ``started_at <= ended_at``; `subject_id` is what this report alone knows.

    A withdrawn one takes its origin's reports before it in the log back, as if they had never been: what that origin
    reports later counts again.
    """

    appearance_key: str
    camera_id: str
    subject_id: str
    started_at: Instant
    ended_at: Instant
    reported_at: Instant
    source: str
    appearance_id: str | None = None
    person_id: str | None = None
    poi_id: str | None = None
    age_group: str = OTHER
    gender: str = OTHER
    camera_description: str | None = None
    camera_group: str | None = None
    department: str | None = None
    division: str | None = None
    zone: str | None = None
    extra: dict[str, Any] = field(default_factory=dict)
    withdrawn: Annotated[
        bool,
        Meta(
            description="true takes back what this origin (`source` without `#row`) has reported of the appearance so "
            "far; what other origins reported stays"
        ),
    ] = False


class BareAppearance(Appearance, kw_only=True, frozen=True, gc=False):
    """The same report for readers that have no use for the vendor's fields, which take most of the decoding."""

    extra: Raw = Raw(b"{}")  # type: ignore[assignment]


def appearance_key(appearance_id: str | None, subject_id: str, camera_id: str, started_at: datetime) -> str:
    """Identity of an appearance: the vendor's id if there is one, else a hash of who, where and when."""
    return appearance_id or stable_id(subject_id, camera_id, isoformat(started_at))


def subject_id_of(person_id: str | None, poi_id: str | None, appearance_id: str) -> str:
    """Whom an appearance is of: the person, else the matched person of interest, else the anonymous track."""
    if person_id:
        return person_id
    return f"poi:{poi_id}" if poi_id else f"track:{appearance_id}"


class Naming(Struct, frozen=True, array_like=True, gc=False):
    """A name for the subject and the report it came from; the latest report wins, ties by the greater name."""

    reported_at: datetime
    name: str


class MergedAppearance(Struct, frozen=True, array_like=True, gc=False):
    """All reports of one appearance so far, as one fact. Merging is commutative, associative and idempotent.

    The start is the earliest, the end the latest; demographics come from the report with the latest `reported_at`
    (ties: the greater canonical JSON of them). A person named by any report stays, whatever comes later.
    """

    appearance_key: str
    started_at: datetime
    ended_at: datetime
    reported_at: datetime
    age_group: str
    gender: str
    person: Naming | None
    poi: Naming | None

    @property
    def subject_id(self) -> str:
        if self.person is not None:
            return self.person.name
        return subject_id_of(None, self.poi.name if self.poi else None, self.appearance_key)

    @classmethod
    def of(cls, report: Appearance) -> "MergedAppearance":
        return cls(
            appearance_key=report.appearance_key,
            started_at=report.started_at,
            ended_at=report.ended_at,
            reported_at=report.reported_at,
            age_group=report.age_group,
            gender=report.gender,
            person=Naming(report.reported_at, report.person_id) if report.person_id else None,
            poi=Naming(report.reported_at, report.poi_id) if report.poi_id else None,
        )

    def merge(self, other: "MergedAppearance") -> "MergedAppearance":
        latest = (
            max(self, other, key=_report_rank)
            if self.reported_at == other.reported_at
            else (self if self.reported_at > other.reported_at else other)
        )
        return MergedAppearance(
            appearance_key=self.appearance_key,
            started_at=min(self.started_at, other.started_at),
            ended_at=max(self.ended_at, other.ended_at),
            reported_at=latest.reported_at,
            age_group=latest.age_group,
            gender=latest.gender,
            person=_latest(self.person, other.person),
            poi=_latest(self.poi, other.poi),
        )


def _report_rank(merged: MergedAppearance) -> str:
    return canonical_json({"age_group": merged.age_group, "gender": merged.gender})


def _latest(a: Naming | None, b: Naming | None) -> Naming | None:
    if a is None or b is None:
        return a or b
    return max(a, b, key=lambda naming: (naming.reported_at, naming.name))
