"""The lock files hold what pyproject.toml pins, and tell nobody where it came from."""

import re
import tomllib

import pytest

from deploy.local.layout import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
RUNTIME = [*PROJECT["dependencies"], *EXTRAS["local"]]
DEVELOPMENT = [requirement for requirement in EXTRAS["dev"] if not requirement.startswith("dwellstream")]


def pinned(requirement: str) -> str:
    """``name==version`` as a lock writes it: lower case, no extras."""
    return re.sub(r"\[.*?\]", "", requirement).lower().replace("_", "-")


def locked(name: str) -> set[str]:
    return set(re.findall(r"^([^\s#]+==[^\s]+)", (ROOT / name).read_text(), re.MULTILINE))


@pytest.mark.parametrize(
    ("lock", "requirements"),
    [("requirements.lock", RUNTIME), ("requirements-dev.lock", [*RUNTIME, *DEVELOPMENT])],
)
def test_a_lock_file_holds_every_pinned_version(lock: str, requirements: list[str]) -> None:
    assert {pinned(each) for each in requirements} <= locked(lock)


def test_what_runs_is_what_is_tested() -> None:
    assert locked("requirements.lock") <= locked("requirements-dev.lock")


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_file_names_no_host(lock: str) -> None:
    assert "://" not in (ROOT / lock).read_text()
