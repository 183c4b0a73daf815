"""A failpoint ends the process at the pass that is named, and nowhere else."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from services.common import failpoints

SERVICES = Path(failpoints.__file__).parents[1]

SCRIPT = """
from services.common.failpoints import failpoint
for _ in range(3):
    print("first", flush=True)
    failpoint("first")
    print("second", flush=True)
    failpoint("second")
"""


@pytest.mark.parametrize(
    ("wanted", "said", "code"),
    [
        (None, ["first", "second"] * 3, 0),
        ("third", ["first", "second"] * 3, 0),
        ("second", ["first", "second"], -signal.SIGKILL),
        ("first:3", ["first", "second", "first", "second", "first"], -signal.SIGKILL),
    ],
)
def test_the_process_ends_at_the_named_pass_and_nowhere_else(wanted: str | None, said: list[str], code: int) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "DWELL_FAILPOINT"}
    if wanted:
        environment["DWELL_FAILPOINT"] = wanted
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, cwd=SERVICES.parent
    )
    assert (ran.stdout.split(), ran.returncode) == (said, code)


def test_the_table_lists_the_places_that_there_are() -> None:
    listed = re.findall(r"^\| (\w+\.\w+) ", failpoints.__doc__ or "", re.MULTILINE)
    placed = [
        name
        for path in sorted(SERVICES.rglob("*.py"))
        for name in re.findall(r'failpoint\("([\w.]+)"\)', path.read_text(encoding="utf-8"))
    ]
    assert sorted(placed) == sorted(listed)
