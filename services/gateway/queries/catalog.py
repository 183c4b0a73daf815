"""What there is to choose from, and where it comes from."""

from datetime import datetime, timedelta

import asyncpg

from services.gateway.models import FilterCamera, FilterOptions, Source

LIVE_WITHIN = timedelta(seconds=60)
DELAYED_WITHIN = timedelta(minutes=5)
"""Age of a source's last word; older is stale."""


async def read_filter_options(db: asyncpg.Pool, site_timezone: str) -> FilterOptions:
    cameras = await db.fetch(
        """
        SELECT camera_id, description, camera_group, department, division, zone, camera_category
        FROM cameras ORDER BY description NULLS LAST, camera_id
        """
    )
    values = await db.fetchrow(
        """
        SELECT array(SELECT DISTINCT age_group FROM sessions WHERE status = 'active' ORDER BY 1) AS age_groups,
               array(SELECT DISTINCT gender FROM sessions WHERE status = 'active' ORDER BY 1) AS genders,
               (SELECT min(started_at) FROM sessions WHERE status = 'active') AT TIME ZONE $1 AS first_at,
               (SELECT max(started_at) FROM sessions WHERE status = 'active') AT TIME ZONE $1 AS last_at
        """,
        site_timezone,
    )
    return FilterOptions(
        cameras=[FilterCamera(**row) for row in cameras],
        age_groups=values["age_groups"],
        genders=values["genders"],
        site_timezone=site_timezone,
        first_day=values["first_at"] and values["first_at"].date(),
        last_day=values["last_at"] and values["last_at"].date(),
    )


async def read_sources(db: asyncpg.Pool, now: datetime) -> list[Source]:
    """One entry a live source, by the newest heartbeat of its cameras."""
    rows = await db.fetch(
        """
        SELECT heartbeat_source AS source, max(heartbeat_at) AS heartbeat_at,
               max(last_seen_at) AS newest_event_at, count(*) AS cameras
        FROM cameras WHERE heartbeat_source IS NOT NULL GROUP BY 1 ORDER BY 1
        """
    )
    return [Source(**row, state=_state(now - row["heartbeat_at"])) for row in rows]


def _state(silence: timedelta) -> str:
    if silence <= LIVE_WITHIN:
        return "live"
    return "delayed" if silence <= DELAYED_WITHIN else "stale"
