"""What the raw store need not keep any longer: what came only in part, and what is older than is wanted."""

import asyncio
from datetime import datetime, timedelta

import asyncpg

from services.common import clock
from services.common.logging import get_logger
from services.gateway.uploads.resumable import ResumableUploads
from services.gateway.uploads.store import RawStore

log = get_logger(__name__)

TIDY_SECONDS = 3_600


async def keep_tidy(db: asyncpg.Pool, store: RawStore, resumable: ResumableUploads, retention_days: int) -> None:
    while True:
        try:
            await asyncio.to_thread(store.remove_abandoned, clock.now())
            await asyncio.to_thread(resumable.remove_expired, clock.now())
            if retention_days:
                await remove_old_files(db, store, clock.now() - timedelta(days=retention_days))
        except Exception as error:
            log.warning("raw store not tidied", error=f"{type(error).__name__}: {error}")
        await asyncio.sleep(TIDY_SECONDS)


async def remove_old_files(db: asyncpg.Pool, store: RawStore, moment: datetime) -> int:
    """Remove what came before that moment and no unfinished upload needs; the number of files removed."""
    old = await asyncio.to_thread(lambda: list(store.older_than(moment)))
    rows = await db.fetch("SELECT sha256 FROM uploads WHERE status IN ('received', 'processing', 'needs_decision')")
    needed = {row["sha256"] for row in rows}
    removed = [sha256 for sha256 in old if sha256 not in needed]
    for sha256 in removed:
        await asyncio.to_thread(store.remove, sha256)
    if removed:
        log.info("old raw files removed", files=len(removed))
    return len(removed)
