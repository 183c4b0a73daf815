"""What the machine must bring: each tool, the package that has it, and how to tell that it is good enough."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.local.errors import LocalError
from deploy.local.postgres_binaries import installed_binaries

JAVA = 17
NODE = 20

POLICY = Path("/usr/sbin/policy-rc.d")


@dataclass(frozen=True)
class Tool:
    """``problem`` says what is wrong with it, or None; ``package`` is its name in Debian."""

    name: str
    package: str
    problem: Callable[[], str | None]


def _missing(*commands: str) -> Callable[[], str | None]:
    def problem() -> str | None:
        return None if any(shutil.which(command) for command in commands) else "is not installed"

    return problem


def _older(command: tuple[str, ...], least: int) -> Callable[[], str | None]:
    def problem() -> str | None:
        if shutil.which(command[0]) is None:
            return "is not installed"
        shown = subprocess.run(command, capture_output=True, text=True, check=False)
        # Both `openjdk version "17.0.15"` and `v20.20.2`.
        found = re.search(r'[v"](\d+)', shown.stdout + shown.stderr)
        if found is None or int(found[1]) < least:
            return f"is too old: {least} or newer is needed, this is {found[1] if found else 'unreadable'}"
        return None

    return problem


VENV_MODULE = Tool(
    "Python's venv",
    "python3-venv",
    lambda: None if importlib.util.find_spec("ensurepip") else "is not installed",
)
JAVA_RUNTIME = Tool(f"Java {JAVA}", "default-jre-headless", _older(("java", "-version"), JAVA))
MAVEN = Tool("Maven", "maven", _missing("mvn"))
NODE_RUNTIME = Tool(f"Node.js {NODE}", "nodejs", _older(("node", "--version"), NODE))
NPM = Tool("npm", "npm", _missing("npm"))
POSTGRES = Tool("PostgreSQL's server", "postgresql", lambda: None if installed_binaries() else "is not installed")
REDIS = Tool("Redis", "redis-server", _missing("redis-server"))
CHROMIUM = Tool("Chromium", "chromium", _missing("chromium", "chromium-browser", "google-chrome"))
# Without any font a page has no text to look at, and Chromium's package only recommends one.
FONTS = Tool(
    "a font", "fonts-dejavu-core", lambda: None if any(Path("/usr/share/fonts").rglob("*.ttf")) else "is missing"
)


def require(tools: Iterable[Tool], say: Callable[[str], None]) -> None:
    """Install what is missing where that is possible, else say exactly what to install."""
    lacking = [tool for tool in tools if tool.problem()]
    if lacking and _can_install():
        packages = [tool.package for tool in lacking]
        say(f"installing system packages: {' '.join(packages)}")
        _install(packages)
        lacking = [tool for tool in lacking if tool.problem()]
    if lacking:
        said = "; ".join(f"{tool.name} {tool.problem()}" for tool in lacking)
        packages_needed = " ".join(tool.package for tool in lacking)
        raise LocalError(f"{said}. Install it first, on Debian: sudo apt-get install {packages_needed}")


def _can_install() -> bool:
    return os.geteuid() == 0 and Path("/etc/debian_version").exists() and shutil.which("apt-get") is not None


def _install(packages: list[str]) -> None:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    with _services_stay_down():
        for command in (
            ("apt-get", "-qq", "update"),
            ("apt-get", "-qq", "install", "-y", "--no-install-recommends", *packages),
        ):
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
            if done.returncode:
                reason = (done.stderr or done.stdout).strip().splitlines()[-1:]
                raise LocalError(f"`{' '.join(command)}` failed: {''.join(reason)}")


@contextmanager
def _services_stay_down() -> Iterator[None]:
    """Debian starts a server's own service when it installs it; ours must not stand beside another on its port."""
    if POLICY.exists():
        yield
        return
    POLICY.write_text("#!/bin/sh\nexit 101\n", encoding="ascii")
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        POLICY.unlink(missing_ok=True)
