"""The filters that all reads share, and the SQL conditions they become."""

import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from fastapi import Depends, Query
from pydantic import BaseModel, Field, StringConstraints

from services.common import clock
from services.common.zones import zone_named
from services.gateway.dependencies import Settings
from services.gateway.errors import InvalidRequestError

DEFAULT_RANGE = timedelta(hours=24)

# What PostgreSQL, Python and the calendars of all zones can hold, with room on both sides.
EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)

Value = Annotated[str, StringConstraints(min_length=1, max_length=512)]
Values = Annotated[list[Value], Field(max_length=500)]


class FilterParams(BaseModel):
    """The common filters as the address carries them."""

    from_: str | None = Field(
        None,
        alias="from",
        description="first instant, inclusive: ISO 8601; a date or a time without offset is taken in `tz`."
        " Without it the range is the 24 hours before `to`",
    )
    to: str | None = Field(None, description="first instant after the range, as `from`; the present without it")
    tz: str | None = Field(None, description="IANA zone of days and hours; the site's zone without it")
    camera_id: Values = []
    camera_group: Values = []
    department: Values = []
    division: Values = []
    zone: Values = []
    camera_category: list[Literal["cashier", "entrance", "store"]] = []
    age_group: Values = []
    gender: Values = []
    min_dwell: float | None = Field(None, ge=0, description="seconds, inclusive")
    max_dwell: float | None = Field(None, ge=0, description="seconds, inclusive")


@dataclass(frozen=True, slots=True)
class Filters:
    """The filters understood: a range ``[start, end)``, a zone, and values of which any may match; empty means all."""

    start: datetime
    end: datetime
    zone: ZoneInfo
    cameras: dict[str, list[str]]
    people: dict[str, list[str]]
    min_dwell: float | None = None
    max_dwell: float | None = None

    def previous(self) -> "Filters":
        """The period of the same length before."""
        return replace(self, start=self.start - (self.end - self.start), end=self.start)


class Conditions:
    """Collects SQL conditions and the parameters they name; every value travels as a parameter."""

    def __init__(self, *parameters: Any) -> None:
        self.parameters: list[Any] = list(parameters)
        self._conditions: list[str] = []

    def parameter(self, value: Any) -> str:
        self.parameters.append(value)
        return f"${len(self.parameters)}"

    def add(self, template: str, *values: Any) -> "Conditions":
        """`template` has one ``{}`` a value."""
        self._conditions.append(template.format(*(self.parameter(value) for value in values)))
        return self

    def cameras(self, filters: Filters, table: str) -> "Conditions":
        """`table` has a ``camera_id``; what else is known of a camera is in ``cameras``."""
        described = []
        for column, values in filters.cameras.items():
            if column == "camera_id":
                self.add(f"{table}.camera_id = ANY({{}})", values)
            else:
                described.append(f"{column} = ANY({self.parameter(values)})")
        if described:
            cameras = f"SELECT camera_id FROM cameras WHERE {' AND '.join(described)}"  # noqa: S608 - names are ours
            self.add(f"{table}.camera_id IN ({cameras})")
        return self

    def people(self, filters: Filters, table: str) -> "Conditions":
        for column, values in filters.people.items():
            self.add(f"{table}.{column} = ANY({{}})", values)
        return self

    def dwell(self, filters: Filters, table: str) -> "Conditions":
        if filters.min_dwell is not None:
            self.add(f"{table}.dwell_seconds >= {{}}", filters.min_dwell)
        if filters.max_dwell is not None:
            self.add(f"{table}.dwell_seconds <= {{}}", filters.max_dwell)
        return self

    def __str__(self) -> str:
        return " AND ".join(self._conditions) or "true"


_HAS_OFFSET = re.compile(r"(Z|[+-]\d{2}(:?\d{2})?)$", re.IGNORECASE)


def parse_instant(text: str, zone: ZoneInfo) -> datetime:
    """The UTC instant of an ISO 8601 text; without an offset it is local time, a date is its first moment."""
    # A "+" that nobody escaped arrives as a space.
    text = re.sub(r" (\d{2}:?\d{2})$", r"+\1", text) if "T" in text else text
    try:
        if "T" not in text and " " not in text.strip():
            found = datetime.combine(date.fromisoformat(text), time(), zone)
        else:
            found = datetime.fromisoformat(text)
        found = (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidRequestError(f"{text[:64]!r} is no ISO 8601 date or time.") from None
    if not EARLIEST <= found <= LATEST:
        raise InvalidRequestError(f"{text[:64]!r} lies outside the years 1900 to 2200.")
    return found


def parse_zone(name: str) -> ZoneInfo:
    try:
        return zone_named(name)
    except ValueError as error:
        raise InvalidRequestError(str(error)) from None


def understand(params: FilterParams, now: datetime, site_zone: str) -> Filters:
    zone = parse_zone(params.tz or site_zone)
    end = parse_instant(params.to, zone) if params.to else now
    start = parse_instant(params.from_, zone) if params.from_ else end - DEFAULT_RANGE
    if start >= end:
        raise InvalidRequestError("`from` must lie before `to`.")
    if params.min_dwell is not None and params.max_dwell is not None and params.min_dwell > params.max_dwell:
        raise InvalidRequestError("`min_dwell` must not be greater than `max_dwell`.")
    return Filters(
        start=start,
        end=end,
        zone=zone,
        cameras=_given(params, "camera_id", "camera_group", "department", "division", "zone", "camera_category"),
        people=_given(params, "age_group", "gender"),
        min_dwell=params.min_dwell,
        max_dwell=params.max_dwell,
    )


def _given(params: FilterParams, *names: str) -> dict[str, list[str]]:
    return {name: values for name in names if (values := getattr(params, name))}


def _common(params: Annotated[FilterParams, Query()], settings: Settings) -> Filters:
    return understand(params, clock.now(), settings.site_timezone)


def _unbounded(params: Annotated[FilterParams, Query()], settings: Settings) -> Filters:
    if params.from_ is None:
        params = params.model_copy(update={"from_": EARLIEST.isoformat()})
    if params.to is None:
        params = params.model_copy(update={"to": LATEST.isoformat()})
    return understand(params, clock.now(), settings.site_timezone)


CommonFilters = Annotated[Filters, Depends(_common)]
UnboundedFilters = Annotated[Filters, Depends(_unbounded)]
