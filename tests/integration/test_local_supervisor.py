"""The local stack's supervisor, with small programs in place of the services."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic, sleep

import pytest

from deploy.local.errors import LocalError
from deploy.local.processes import is_alive, members
from deploy.local.programs import Program, python
from deploy.local.supervisor import Supervisor

SLEEPER = "import time; print('awake', flush=True); time.sleep(600)"
PARENT = (
    "import subprocess, sys, time; "
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']); "
    "print(child.pid, flush=True); time.sleep(600)"
)
# Takes no notice of the request to stop, and neither does its child.
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {PARENT}"


def eventually(holds: Callable[[], bool]) -> None:
    deadline = monotonic() + 30
    while not holds():
        assert monotonic() < deadline
        sleep(0.05)


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    programs = [
        Program("sleeper", python("-c", SLEEPER)),
        Program("stubborn", python("-c", STUBBORN), stop_seconds=1),
        Program("broken", python("-c", "raise SystemExit('the table is gone')")),
    ]
    supervisor = Supervisor(tmp_path)
    supervisor.start({"services": programs}, {})
    yield supervisor
    supervisor.shut_down()
    assert members(tmp_path) == set()


def test_a_program_that_is_killed_is_started_again(supervisor: Supervisor) -> None:
    supervisor.start_programs(["sleeper"])
    eventually(lambda: supervisor.states()["sleeper"].state == "RUNNING")
    first = supervisor.states()["sleeper"].pid
    os.kill(first, signal.SIGKILL)
    eventually(lambda: supervisor.states()["sleeper"].pid not in {0, first})


def test_a_program_that_dies_on_starting_is_reported_with_its_last_words(supervisor: Supervisor) -> None:
    supervisor.start_programs(["broken"])
    eventually(lambda: not supervisor.states()["broken"].is_up)
    with pytest.raises(LocalError, match=r"broken died on starting(.|\n)*the table is gone"):
        supervisor.require_alive("broken")


def test_a_program_that_was_started_again_meanwhile_counts_as_dead(supervisor: Supervisor) -> None:
    supervisor.start_programs(["sleeper"])
    supervisor.require_alive("sleeper")
    first = supervisor.states()["sleeper"].pid
    os.kill(first, signal.SIGKILL)
    eventually(lambda: supervisor.states()["sleeper"].pid not in {0, first})
    with pytest.raises(LocalError, match="sleeper died on starting"):
        supervisor.require_alive("sleeper")


def test_only_what_does_not_run_is_started(supervisor: Supervisor) -> None:
    assert supervisor.start_programs(["sleeper"]) == ["sleeper"]
    assert supervisor.start_programs(["sleeper"]) == []


def test_stopping_leaves_no_process_even_of_one_that_will_not_stop(supervisor: Supervisor, tmp_path: Path) -> None:
    supervisor.start_programs(["stubborn"])
    log = tmp_path / "log/stubborn.log"
    eventually(lambda: log.exists() and log.read_text().strip().isdigit())
    child = int(log.read_text())
    assert supervisor.shut_down()
    assert not is_alive(child)
    assert members(tmp_path) == set()


def test_stopping_ends_what_a_killed_supervisord_left_behind(supervisor: Supervisor, tmp_path: Path) -> None:
    supervisor.start_programs(["sleeper"])
    eventually(lambda: supervisor.states()["sleeper"].state == "RUNNING")
    left = supervisor.states()["sleeper"].pid
    os.kill(int((tmp_path / "supervisor.pid").read_text()), signal.SIGKILL)
    eventually(lambda: not supervisor.is_running)
    assert is_alive(left)
    assert supervisor.shut_down()
    assert not is_alive(left)
