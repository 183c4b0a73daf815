"""A disk that is full for a while, under Kafka and PostgreSQL."""

import asyncio
import subprocess
from collections.abc import Iterator
from pathlib import Path
from shutil import disk_usage

import pytest

from deploy.local.test_servers import LocalServers
from tests.faults.rig import Rig, running_rig
from tests.support.databases import make_template

pytestmark = pytest.mark.fault

DISK = "2g"
"""With room for the log that PostgreSQL keeps, up to 1 GB of it."""
FULL_SECONDS = 20


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, which only root can mount."""
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK},mode=755", "tmpfs", str(disk)], check=True)
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)  # PostgreSQL runs under another account
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


async def test_a_full_disk(small_disk: Path, tmp_path: Path) -> None:
    async def fault(rig: Rig) -> None:
        ballast = small_disk / "ballast"
        fill(ballast)
        await asyncio.sleep(FULL_SECONDS)
        ballast.unlink()
        assert {answer.status_code for answer in rig.load.refusals} == {503}
        for name in ("kafka", "postgres"):
            if rig.servers.has_ended(name):
                await rig.servers.start_again(name)
        await rig.accepts_more()

    servers = await asyncio.to_thread(LocalServers(small_disk).start)
    try:
        await asyncio.to_thread(make_template, servers.postgres)
        async with running_rig(servers, tmp_path) as rig:
            await rig.endure("disk full for a while", fault)
    finally:
        await asyncio.to_thread(servers.stop)


def fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(1 << 20))
        except OSError:
            assert disk_usage(path).free < 1 << 20
