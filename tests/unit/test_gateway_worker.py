"""The worker of large uploads as a process."""

import os
import subprocess
import sys

from services.gateway.uploads.tasks import NICENESS

BEGIN_WORK = """
import os
from celery.signals import worker_process_init
from services.gateway.uploads import tasks
worker_process_init.send(None)
print(os.nice(0))
"""


def test_it_gives_way_to_whatever_else_runs_on_the_machine() -> None:
    done = subprocess.run([sys.executable, "-c", BEGIN_WORK], capture_output=True, text=True, check=True)
    assert int(done.stdout) == min(19, os.nice(0) + NICENESS)
