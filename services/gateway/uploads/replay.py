"""Refused rows, corrected, through the normaliser of their origin once more and into Kafka."""
# ruff: noqa: S608 - values travel as parameters; what is formatted in are conditions written here

import asyncio
import uuid
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
from msgspec import Struct

from services.common.corsight.chunks import MAX_RAW_BYTES, RowError, RowRules
from services.common.failpoints import failpoint
from services.common.lanes import lane_of
from services.gateway import audit
from services.gateway.cursors import decode_cursor, encode_cursor
from services.gateway.dependencies import Resources
from services.gateway.errors import NotFoundError
from services.gateway.filters import Conditions, parse_zone
from services.gateway.models import FieldFix, ReplayGroup, ReplayResult, ReplayRows, StillRejected
from services.gateway.queries.quarantine import open_rows
from services.gateway.uploads import progress, resolutions
from services.gateway.uploads.refused import EVENTS, RowReader, rows_of
from services.gateway.uploads.resolutions import Fix
from services.gateway.uploads.store import RawStore

CHUNK_ROWS = 500
"""In hand at a time: one may keep 64 KiB of what was refused."""

MAX_GROUP_ROWS = 5_000
"""Of a group that one request comes to: some seconds' work."""


class Refused(Struct, frozen=True):
    """An open row; `unsettled` where a fix of it is written down that may have been published."""

    quarantine_id: str
    source: str
    reason_code: str
    raw: bytes
    quarantined_at: datetime
    unsettled: bool

    @property
    def origin(self) -> str:
        return self.source.partition("#")[0]


Correct = Callable[[RowReader, Refused], bytes]
"""The row as it should read. Raises `RowError`."""


class NotReplayableError(Exception):
    """Why no row of an origin can be replayed now."""


async def replay_rows(request: ReplayRows, actor: str, opened: Resources) -> ReplayResult:
    """Those of the rows that are still open. Raises `NotFoundError` where one was never refused."""
    edits = {item.quarantine_id: item.raw for item in request.items}
    known = await opened.db.fetch("SELECT quarantine_id FROM quarantine WHERE quarantine_id = ANY($1)", list(edits))
    if unknown := edits.keys() - {row["quarantine_id"] for row in known}:
        raise NotFoundError(f"There is no quarantined row {min(unknown)}.")

    def edited(_: RowReader, row: Refused) -> bytes:
        text = edits[row.quarantine_id]
        return _whole(row) if text is None else text.strip("\r\n").encode()

    replay = _Replay(opened, actor, edited, {})
    where = open_rows().add("q.quarantine_id = ANY({})", list(edits))
    await replay.take(await _read(opened.db, where))
    return replay.result


async def replay_group(request: ReplayGroup, actor: str, opened: Resources) -> ReplayResult:
    """The group's next `MAX_GROUP_ROWS`, from the cursor on."""
    order = f"replay {request.reason_code} {request.source}"
    after = decode_cursor(request.cursor, order, str)
    fix = request.fix
    zone = None if isinstance(fix, FieldFix) else parse_zone(fix.timezone)

    def fixed(reader: RowReader, row: Refused) -> bytes:
        whole = _whole(row)
        return reader.replaced(whole, fix.field, fix.find, fix.replace) if isinstance(fix, FieldFix) else whole

    def rest(last: str) -> Conditions:
        # Of one reason a source was refused once. Byte by byte, as the index has them.
        return open_rows([request.reason_code], request.source).add("q.source ~>~ {}", last)

    replay = _Replay(opened, actor, fixed, fix.model_dump(), zone)
    last = after.value if after else ""
    for _ in range(MAX_GROUP_ROWS // CHUNK_ROWS):
        rows = await _read(opened.db, rest(last))
        await replay.take(rows)
        if len(rows) < CHUNK_ROWS:
            return replay.result
        last = rows[-1].source
    where = rest(last)
    replay.result.remaining = await opened.db.fetchval(
        f"SELECT count(*) FROM quarantine q WHERE {where}", *where.parameters
    )
    if replay.result.remaining:
        replay.result.next_cursor = encode_cursor(order, last, "")
    return replay.result


async def _read(db: asyncpg.Pool, where: Conditions) -> list[Refused]:
    rows = await db.fetch(
        f"""
        SELECT q.quarantine_id, q.source, q.reason_code, q.raw, q.quarantined_at,
               EXISTS (SELECT FROM quarantine_resolutions r WHERE r.quarantine_id = q.quarantine_id) AS unsettled
        FROM quarantine q WHERE {where} ORDER BY q.source USING ~<~ LIMIT {CHUNK_ROWS}
        """,
        *where.parameters,
    )
    return [Refused(**row) for row in rows]


def _whole(row: Refused) -> bytes:
    if len(row.raw) >= MAX_RAW_BYTES:
        raise RowError("too_large", f"only the first {MAX_RAW_BYTES:,} bytes are kept: give the whole row, corrected")
    return row.raw


class _Replay:
    """One request's way through the rows. Nothing is settled that Kafka has not acknowledged (`PublishError`)."""

    def __init__(
        self, opened: Resources, actor: str, correct: Correct, told: dict[str, Any], zone: ZoneInfo | None = None
    ) -> None:
        self._opened = opened
        self._actor = actor
        self._correct = correct
        self._told = told
        self._zone = zone
        self._readers: dict[str, RowReader] = {}
        self.result = ReplayResult()

    async def take(self, rows: Iterable[Refused]) -> None:
        for origin, found in groupby(sorted(rows, key=lambda row: row.source), key=lambda row: row.origin):
            of_origin = list(found)
            self.result.replayed += len(of_origin)
            try:
                if origin.startswith("upload:"):
                    await self._take_of_upload(origin, of_origin)
                elif origin.startswith("corsight:"):
                    await self._take_of_connector(origin, of_origin)
                else:
                    raise NotReplayableError("only rows of files and of cameras' events are read again")
            except NotReplayableError as reason:
                for row in of_origin:
                    self._still_rejected(row, row.reason_code, str(reason))

    async def _take_of_upload(self, origin: str, rows: Sequence[Refused]) -> None:
        upload_id = _upload_id(origin)
        # As while the file is read: nobody may withdraw the upload or count its rows meanwhile.
        async with progress.working_on(self._opened.db, upload_id) as held:
            if held is None:
                raise NotReplayableError("the upload is being worked on: try again")
            upload = await progress.read_upload(held, upload_id)
            if upload is None or upload.status != "completed":
                raise NotReplayableError(f"the upload is {upload.status if upload else 'unknown'}, not completed")
            settings = self._opened.settings
            rules = RowRules(
                upload.created_at,
                self._zone or ZoneInfo(upload.timezone),
                timedelta(hours=settings.implausible_dwell_hours),
                timedelta(minutes=settings.future_minutes),
            )
            reader = await self._reader(upload.sha256)
            fixes = await asyncio.to_thread(self._fixes, rows, reader, lambda _: rules)
            await self._publish(held, origin, rows, fixes, upload_id)

    async def _take_of_connector(self, origin: str, rows: Sequence[Refused]) -> None:
        max_dwell = timedelta(hours=self._opened.settings.implausible_dwell_hours)

        def rules_of(row: Refused) -> RowRules:
            return RowRules(row.quarantined_at, self._zone or UTC, max_dwell)

        fixes = await asyncio.to_thread(self._fixes, rows, EVENTS, rules_of)
        async with self._opened.db.acquire() as connection:
            await self._publish(connection, origin, rows, fixes, None)

    async def _reader(self, sha256: str) -> RowReader:
        if sha256 not in self._readers:
            try:
                self._readers[sha256] = await asyncio.to_thread(_reader_of, self._opened.store, sha256)
            except FileNotFoundError:
                raise NotReplayableError("the file is not kept any more: upload the corrected rows") from None
        return self._readers[sha256]

    def _fixes(self, rows: Iterable[Refused], reader: RowReader, rules_of: Callable[[Refused], RowRules]) -> list[Fix]:
        fixes = []
        for row in rows:
            if row.unsettled:
                continue
            try:
                raw = self._correct(reader, row)
                fact = reader.read(raw, row.source, rules_of(row))
            except RowError as refused:
                self._still_rejected(row, refused.reason_code, refused.reason)
                continue
            fixes.append(Fix(row.quarantine_id, row.source, raw, lane_of(fact), fact))
        return fixes

    async def _publish(
        self,
        connection: asyncpg.Connection,
        origin: str,
        rows: Iterable[Refused],
        fixes: Iterable[Fix],
        upload_id: str | None,
    ) -> None:
        await resolutions.write_down(connection, fixes, self._actor)
        written = await resolutions.unsettled(connection, [row.quarantine_id for row in rows])
        for topic in {fix.topic for fix in written}:
            items = [fix.item for fix in written if fix.topic is topic]
            await self._opened.producer.publish(topic, items, origin)
        failpoint("gateway.before_settle")
        async with connection.transaction():
            settled = await resolutions.settle(connection, written)
            if not settled:
                return
            if upload_id is not None:
                await resolutions.count_as_accepted(connection, upload_id, settled)
            await audit.record(
                connection, self._actor, "replay", upload_id or origin, rows=settled.total(), **self._told
            )
        self.result.accepted += settled.total()

    def _still_rejected(self, row: Refused, reason_code: str, reason: str) -> None:
        self.result.rejected.append(
            StillRejected(quarantine_id=row.quarantine_id, reason_code=reason_code, reason=reason)
        )


def _upload_id(origin: str) -> str:
    try:
        return str(uuid.UUID(origin.removeprefix("upload:")))
    except ValueError:
        raise NotReplayableError("there is no such upload") from None


def _reader_of(store: RawStore, sha256: str) -> RowReader:
    with store.open(sha256) as file:
        return rows_of(file)
