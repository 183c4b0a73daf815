"""Face crops: dropped at the door, or kept outside Kafka for as long as is said, each under the hash of its bytes."""

import asyncio
import base64
import binascii
import hashlib
from collections.abc import Mapping, MutableMapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, S3Store
from pydantic import Field

from services.common import clock
from services.common.events.appearances import Appearance
from services.common.kafka.producer import PublishError
from services.common.logging import get_logger
from services.common.settings import CommonSettings

log = get_logger(__name__)

REFERENCE = "face_crop"
"""Field of an appearance's extra: the SHA-256 of the crop, under which it is kept."""

MAX_CROP_CHARS = 1 << 20
"""In base64; the vendor's are tens of kilobytes."""

SWEEP_SECONDS = 3_600.0

PUTS_AT_ONCE = 16

_IMAGES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")
"""The beginnings of JPEG and PNG; nothing else is kept."""

_TROUBLE = (BaseError, OSError)


class FaceSettings(CommonSettings):
    face_crops: str = Field(
        "", description="folder or s3://bucket/prefix that keeps face crops; empty: they are dropped"
    )
    face_crops_retention_days: float = Field(30.0, gt=0, description="after which a crop that came no more is deleted")


class FaceStore:
    """``ab/abcdef…`` in a folder, or in an S3-compatible bucket, for which the usual `AWS_` variables count."""

    def __init__(self, place: str, retention: timedelta) -> None:
        self._store: ObjectStore = (
            S3Store.from_url(place) if place.startswith("s3://") else LocalStore(Path(place).absolute(), mkdir=True)
        )
        self._retention = retention

    async def keep(self, crops: Mapping[str, bytes]) -> None:
        """By hash. One that is kept already is kept from now on. Raises `PublishError`."""
        free = asyncio.Semaphore(PUTS_AT_ONCE)

        async def put(name: str, crop: bytes) -> None:
            async with free:
                await obstore.put_async(self._store, _key(name), crop, use_multipart=False)

        try:
            await asyncio.gather(*(put(name, crop) for name, crop in crops.items()))
        except _TROUBLE as error:
            raise PublishError(f"cannot keep face crops: {str(error).partition(chr(10))[0]}") from error

    async def sweep(self, now: datetime) -> int:
        """Delete those that came last before the retention; how many that were."""
        deleted = 0
        async for found in obstore.list(self._store, chunk_size=1_000):
            if old := [each["path"] for each in found if each["last_modified"] < now - self._retention]:
                await obstore.delete_async(self._store, old)
                deleted += len(old)
        return deleted

    async def run(self) -> None:
        while True:
            try:
                if deleted := await self.sweep(clock.now()):
                    log.info("face crops deleted", count=deleted)
            except _TROUBLE as error:
                log.error("cannot delete old face crops", reason=str(error).partition("\n")[0])
            await asyncio.sleep(SWEEP_SECONDS)


def open_faces(settings: FaceSettings) -> FaceStore | None:
    if not settings.face_crops:
        return None
    return FaceStore(settings.face_crops, timedelta(days=settings.face_crops_retention_days))


def take_crop(event: Mapping[str, Any], fact: Appearance, crops: MutableMapping[str, bytes]) -> None:
    """Add the event's face crop to the crops, and its name to what is kept of the event."""
    block = event.get("crop_data")
    crop = _decoded(block.get("face_crop_img")) if isinstance(block, dict) else None
    if crop is not None:
        name = hashlib.sha256(crop).hexdigest()
        crops[name] = crop
        fact.extra[REFERENCE] = name


def _decoded(text: object) -> bytes | None:
    """The picture; None where there is none. It may come as a data URL, and with blanks in place of `+`."""
    if not isinstance(text, str) or len(text) > MAX_CROP_CHARS:
        return None
    try:
        crop = base64.b64decode(text.rpartition(",")[2].replace(" ", "+"), validate=True)
    except (binascii.Error, ValueError):
        return None
    return crop if crop.startswith(_IMAGES) else None


def _key(name: str) -> str:
    return f"{name[:2]}/{name}"
