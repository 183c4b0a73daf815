"""The trail of what people did."""

from typing import Any

import asyncpg


async def record(
    db: asyncpg.Pool | asyncpg.Connection, actor: str, action: str, target: str | None = None, **detail: Any
) -> None:
    await db.execute(
        "INSERT INTO audit (actor, action, target, detail) VALUES ($1, $2, $3, $4)", actor, action, target, detail
    )
