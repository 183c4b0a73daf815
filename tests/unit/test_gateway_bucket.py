"""The raw store in a bucket, over the protocol that buckets speak."""

import hashlib
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.gateway.settings import GatewaySettings
from services.gateway.uploads.store import RawStore, open_store
from tests.support.bucket import PAGE_KEYS, Bucket, bucket_settings, running_bucket


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    with running_bucket("raw") as bucket:
        for name, value in bucket_settings(bucket).items():
            monkeypatch.setenv(name, value)
        yield bucket


@pytest.fixture
def store(bucket: Bucket, tmp_path: Path) -> RawStore:
    return open_store(GatewaySettings(home=tmp_path, raw_store="s3://raw/faces"))


def kept(store: RawStore, content: bytes) -> str:
    with store.incoming() as incoming:
        incoming.write(content)
        return incoming.keep()


def test_a_large_file_goes_there_in_parts_and_is_read_by_ranges(
    store: RawStore, bucket: Bucket, tmp_path: Path
) -> None:
    content = os.urandom(1 << 20) * 20
    sha256 = kept(store, content)
    assert sha256 == hashlib.sha256(content).hexdigest()
    assert (bucket.objects, bucket.begun) == ({f"faces/{sha256[:2]}/{sha256}": content}, {})
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    with store.open(sha256) as file:
        assert file.read() == content
        assert (file.seek(-5, os.SEEK_END), file.read()) == (len(content) - 5, content[-5:])


def test_a_bucket_that_is_busy_is_asked_again(store: RawStore, bucket: Bucket) -> None:
    bucket.busy = 1
    sha256 = kept(store, b"content")
    bucket.busy = 1
    with store.open(sha256) as file:
        bucket.busy = 1
        assert file.read() == b"content"
    assert bucket.busy == 0


def test_what_is_removed_is_not_found_and_may_be_removed_again(store: RawStore, bucket: Bucket) -> None:
    sha256 = kept(store, b"content")
    assert store.exists(sha256)
    for _ in range(2):
        store.remove(sha256)
    assert (store.exists(sha256), bucket.objects) == (False, {})
    with pytest.raises(FileNotFoundError):
        store.open(sha256)


def test_old_files_are_listed_to_the_last_page_and_none_of_another_prefix(store: RawStore, bucket: Bucket) -> None:
    names = [kept(store, b"%d" % number) for number in range(2 * PAGE_KEYS + 1)]
    bucket.put(f"other/aa/{'a' * 64}", b"not ours")
    for key in bucket.modified:
        bucket.modified[key] -= timedelta(days=2)
    young = kept(store, b"young")
    assert sorted(store.older_than(datetime.now(UTC) - timedelta(days=1))) == sorted(names)
    assert young not in names
