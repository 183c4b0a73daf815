import base64
import hashlib
import json
import os
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from services.common import clock
from services.common.corsight.chunks import RowRules
from services.common.kafka.producer import PublishError
from services.common.topics import Topic
from services.ingest.faces import FaceSettings, FaceStore, open_faces
from services.ingest.intake import Taken, read_elements, take
from services.ingest.publisher import Publisher
from tests.support.bucket import bucket_settings, running_bucket
from tests.support.vendor_events import NOON, appearance_event

# Not a face: the first bytes of any JPEG, and some more.
PICTURE = b"\xff\xd8\xff\xe0" + bytes(range(256))
NAME = hashlib.sha256(PICTURE).hexdigest()
TEXT = base64.b64encode(PICTURE).decode()
KEPT_DAYS = timedelta(days=30)


def taken(text: Any, **options: Any) -> Taken:
    event = appearance_event() | {"crop_data": {"face_crop_img": text}}
    return take(read_elements(json.dumps(event).encode(), "corsight:sse"), "corsight:sse", RowRules(NOON), **options)


class TestTakeCrop:
    def test_a_crop_is_dropped_unless_somebody_wants_it(self) -> None:
        found = taken(TEXT)
        assert found.crops == {}
        assert "face_crop" not in found.appearances[0].extra

    @pytest.mark.parametrize("text", [TEXT, f"data:image/jpeg;base64,{TEXT}", TEXT.replace("+", " ")])
    def test_a_crop_is_named_by_its_bytes_and_the_appearance_tells_the_name(self, text: str) -> None:
        found = taken(text, with_crops=True)
        assert found.crops == {NAME: PICTURE}
        [appearance] = found.appearances
        assert appearance.extra["face_crop"] == NAME
        assert "crop_data" not in appearance.extra

    @pytest.mark.parametrize(
        "text", [None, 5, "", "no base64!", base64.b64encode(b"<script>").decode(), "/9j/" + "A" * (1 << 20)]
    )
    def test_what_is_no_picture_is_no_crop(self, text: object) -> None:
        found = taken(text, with_crops=True)
        assert found.crops == {}
        assert len(found.appearances) == 1


class Recording(Publisher):
    """Remembers what goes to Kafka, and what is kept by then."""

    def __init__(self, faces: FaceStore, folder: Path) -> None:
        super().__init__(timeout_seconds=1, faces=faces)
        self._folder = folder
        self.published: list[tuple[Topic, list[str]]] = []

    async def _publish(self, topic: Topic, items: Iterable[object], source: str) -> None:
        self.published.append((topic, [path.name for path in self._folder.rglob("*") if path.is_file()]))


class TestPublisher:
    async def test_a_crop_is_kept_before_kafka_hears_of_it(self, tmp_path: Path) -> None:
        publisher = Recording(FaceStore(str(tmp_path), KEPT_DAYS), tmp_path)
        assert publisher.keeps_crops
        await publisher.publish_taken(taken(TEXT, with_crops=True), "corsight:sse")
        assert publisher.published == [(Topic.APPEARANCES, [NAME])]

    async def test_what_cannot_be_kept_is_not_taken(self, tmp_path: Path) -> None:
        publisher = Recording(in_the_way(tmp_path / "faces"), tmp_path)
        with pytest.raises(PublishError):
            await publisher.publish_taken(taken(TEXT, with_crops=True), "corsight:sse")
        assert publisher.published == []


def in_the_way(folder: Path) -> FaceStore:
    """A store whose folder is none."""
    store = FaceStore(str(folder), KEPT_DAYS)
    folder.rmdir()
    folder.write_text("in the way")
    return store


class TestFaceStore:
    def test_nothing_is_kept_by_default(self) -> None:
        assert open_faces(FaceSettings()) is None

    async def test_a_crop_lies_under_its_name_once_however_often_it_comes(self, tmp_path: Path) -> None:
        store = open_faces(FaceSettings(face_crops=str(tmp_path / "faces")))
        assert store is not None
        await store.keep({NAME: PICTURE})
        await store.keep({NAME: PICTURE})
        files = [path for path in (tmp_path / "faces").rglob("*") if path.is_file()]
        assert files == [tmp_path / "faces" / NAME[:2] / NAME]
        assert files[0].read_bytes() == PICTURE

    async def test_a_crop_that_came_no_more_is_deleted_after_its_time(self, tmp_path: Path) -> None:
        store = FaceStore(str(tmp_path), KEPT_DAYS)
        await store.keep({NAME: PICTURE, "ab" * 32: PICTURE})
        old = (clock.now() - KEPT_DAYS - timedelta(hours=1)).timestamp()
        os.utime(tmp_path / NAME[:2] / NAME, (old, old))
        assert await store.sweep(clock.now()) == 1
        assert not (tmp_path / NAME[:2] / NAME).exists()
        assert (tmp_path / "ab" / ("ab" * 32)).exists()

    async def test_a_place_that_takes_none_is_told(self, tmp_path: Path) -> None:
        with pytest.raises(PublishError, match="cannot keep face crops"):
            await in_the_way(tmp_path / "faces").keep({NAME: PICTURE})

    async def test_a_bucket_does_as_well(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with running_bucket("site") as bucket:
            for name, value in bucket_settings(bucket).items():
                monkeypatch.setenv(name, value)
            store = FaceStore("s3://site/faces", KEPT_DAYS)
            names = [f"{number:02x}" * 32 for number in range(5)]
            await store.keep(dict.fromkeys(names, PICTURE))
            assert bucket.objects == {f"faces/{name[:2]}/{name}": PICTURE for name in names}
            bucket.modified |= {key: clock.now() - 2 * KEPT_DAYS for key in sorted(bucket.objects)[:4]}
            assert await store.sweep(clock.now()) == 4
            assert list(bucket.objects) == [f"faces/04/{names[4]}"]
