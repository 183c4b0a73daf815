"""What there is to choose from."""

import asyncpg

from services.gateway.models import FilterCamera, FilterOptions


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
