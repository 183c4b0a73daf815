"""Make what the local stack and the tests need, once: `python3 -m deploy.local.bootstrap stack|check|test`.

Runs before the virtual environment exists, so it uses the standard library alone.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.local import system
from deploy.local.errors import LocalError
from deploy.local.layout import FRONTEND, JARS, POM, ROOT, TARGET, VENV
from deploy.local.stamps import digest, is_fresh, set_stamp

UV = "uv==0.13.9"
NOT_SOURCES = {"node_modules", "dist", "test-results", "coverage"}


def say(text: str) -> None:
    print(f"dwellstream: {text}", flush=True)


def bootstrap(purpose: str) -> None:
    """`stack` makes what runs, `check` what lint and types need, `test` both and a browser."""
    system.require(_tools(purpose), say)
    TARGET.mkdir(exist_ok=True)
    with _one_at_a_time():
        environment("requirements.lock" if purpose == "stack" else "requirements-dev.lock")
        frontend_packages()
        if purpose != "check":
            kafka_jars()
            frontend_build()


def _tools(purpose: str) -> list[system.Tool]:
    tools = [system.VENV_MODULE, system.NODE_RUNTIME, system.NPM]
    if purpose == "check":
        return tools
    if purpose == "test" or not os.environ.get("DWELL_KAFKA"):
        tools += [system.JAVA_RUNTIME, system.MAVEN]
    if purpose == "test" or not os.environ.get("DWELL_POSTGRES"):
        tools.append(system.POSTGRES)
    if purpose == "test" or not os.environ.get("DWELL_REDIS"):
        tools.append(system.REDIS)
    if purpose == "test":
        tools += [system.CHROMIUM, system.FONTS]
    return tools


def environment(lock: str) -> None:
    """The virtual environment with the packages of the lock file; those of the other lock may be there too."""
    interpreter = f"{sys.implementation.name} {sys.version} {sys.base_prefix}"
    base = digest([], interpreter, UV)
    if not is_fresh(VENV / ".stamp", base):
        say("making the Python environment")
        _run(sys.executable, "-m", "venv", "--clear", str(VENV))
        _run(str(VENV / "bin/python"), "-m", "pip", "install", "--quiet", UV)
        set_stamp(VENV / ".stamp", base)
    stamp, wanted = VENV / f".stamp-{lock}", digest([ROOT / lock])
    if is_fresh(stamp, wanted):
        return
    say(f"installing the Python packages of {lock}")
    uv = (str(VENV / "bin/uv"), "pip", "install", "--python", str(VENV / "bin/python"))
    # Compiled once here, not by ten processes at their first start.
    _run(*uv, "--quiet", "--compile-bytecode", "--require-hashes", "-r", str(ROOT / lock))
    set_stamp(stamp, wanted)


def kafka_jars() -> None:
    stamp, wanted = JARS / ".stamp", digest([POM])
    if is_fresh(stamp, wanted):
        return
    say("fetching Apache Kafka")
    # A jar of an earlier release beside the new one would win or lose by the order of a directory listing.
    shutil.rmtree(JARS, ignore_errors=True)
    goal = ("dependency:copy-dependencies", f"-DoutputDirectory={JARS}", "-DincludeScope=runtime")
    _run("mvn", "--batch-mode", "--quiet", "--file", str(POM), *goal)
    set_stamp(stamp, wanted)


def frontend_packages() -> None:
    stamp, wanted = (
        FRONTEND / "node_modules/.stamp",
        digest([FRONTEND / "package.json", FRONTEND / "package-lock.json"]),
    )
    if is_fresh(stamp, wanted):
        return
    say("installing the dashboard's packages")
    _run("npm", "ci", "--no-audit", "--no-fund", "--loglevel=error", cwd=FRONTEND)
    set_stamp(stamp, wanted)


def frontend_build() -> None:
    stamp, wanted = FRONTEND / "dist/.stamp", digest(_frontend_sources())
    if is_fresh(stamp, wanted):
        return
    say("building the dashboard")
    _run("npm", "run", "build", cwd=FRONTEND)
    set_stamp(stamp, wanted)


def _frontend_sources() -> list[Path]:
    return [
        path
        for top in FRONTEND.iterdir()
        if top.name not in NOT_SOURCES
        for path in ([top] if top.is_file() else top.rglob("*"))
        if path.is_file()
    ]


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Two stacks started together from one clone must not both build."""
    with (TARGET / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _run(*command: str, cwd: Path = ROOT) -> None:
    """Run quietly; what it said is shown only when it failed."""
    done = subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        print(done.stdout, file=sys.stderr)
        raise LocalError(
            f"`{Path(command[0]).name} {' '.join(command[1:3])}…` failed (exit {done.returncode}), see above"
        )


def main() -> None:
    parser = argparse.ArgumentParser(prog="deploy.local.bootstrap", description=__doc__)
    parser.add_argument("purpose", choices=("stack", "check", "test"))
    try:
        bootstrap(parser.parse_args().purpose)
    except (LocalError, OSError) as error:
        sys.exit(f"dwellstream: {error}")


if __name__ == "__main__":
    main()
