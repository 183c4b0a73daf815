"""What there is to choose from, and where live alerts come from."""

from datetime import date
from typing import Literal

from pydantic import BaseModel, Field


class FilterCamera(BaseModel):
    camera_id: str
    description: str | None
    camera_group: str | None
    department: str | None
    division: str | None
    zone: str | None
    camera_category: Literal["cashier", "entrance", "store"]


class FilterOptions(BaseModel):
    cameras: list[FilterCamera]
    age_groups: list[str]
    genders: list[str]
    site_timezone: str
    first_day: date | None = Field(description="first day with data, in the site's zone")
    last_day: date | None


class Live(BaseModel):
    url: str = Field(description="address of the socket that pushes alerts")
