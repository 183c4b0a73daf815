"""Servers that these tests may break, so they are not those of the other tests."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import pytest_asyncio

from deploy.local.test_servers import LocalServers
from tests.faults.rig import ROWS, Rig, running_rig
from tests.support.databases import make_template


@pytest.fixture(scope="session")
def breakable_servers() -> Iterator[LocalServers]:
    ROWS.unlink(missing_ok=True)
    with TemporaryDirectory(prefix="dwell-faults-") as folder:
        home = Path(folder)
        home.chmod(0o755)  # as root, PostgreSQL runs under another account
        with LocalServers(home) as servers:
            make_template(servers.postgres)
            yield servers


@pytest_asyncio.fixture
async def rig(breakable_servers: LocalServers, tmp_path: Path) -> AsyncIterator[Rig]:
    async with running_rig(breakable_servers, tmp_path) as running:
        yield running


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if ROWS.exists():
        terminalreporter.section("faults")
        terminalreporter.write(ROWS.read_text(encoding="utf-8"))
