"""One backend for all tests of this folder: each has cameras of its own, and looks at those alone."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.support.pipeline import Pipeline, running_pipeline
from tests.support.servers import Servers


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def pipeline(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Pipeline]:
    async with running_pipeline(servers, tmp_path_factory.mktemp("pipeline")) as running:
        yield running
