"""Servers that these tests may break, so they are not those of the other tests."""

from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import pytest_asyncio

from deploy.local.test_servers import LocalServers
from tests.faults.rig import ROWS, KeptRig, Rig
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


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def kept_rig(breakable_servers: LocalServers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[KeptRig]:
    async with KeptRig(breakable_servers, partial(tmp_path_factory.mktemp, "faults")) as kept:
        yield kept


@pytest_asyncio.fixture(loop_scope="module")
async def rig(kept_rig: KeptRig) -> Rig:
    return await kept_rig.whole()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if ROWS.exists():
        terminalreporter.section("faults")
        terminalreporter.write(ROWS.read_text(encoding="utf-8"))
