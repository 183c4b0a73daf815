import pytest

from tests.support.connector import Parts


@pytest.fixture
def parts() -> Parts:
    return Parts()
