"""``python -m tests.benchmarks [name...]``: run all benchmarks, or those named, and write their sections of the page.

Nothing here passes or fails by its time: a section shows the goal and whether it is met.
"""

import argparse
import asyncio
import importlib
import logging
import os
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

from deploy.local.test_servers import LocalServers
from tests.benchmarks.bench import Bench, Section
from tests.benchmarks.machine import describe
from tests.benchmarks.page import NAMES, render, write
from tests.support.databases import make_template
from tests.support.servers import Servers

ROUNDS = 5

TRIAL_ROUNDS = 2
TRIAL_SCALE = 0.1


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=f"of {', '.join(NAMES)}; all by default")
    parser.add_argument("--trial", action="store_true", help="a tenth of the events, two rounds; writes no page")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(NAMES):
        parser.error(f"there is no {', '.join(sorted(unknown))}; there is {', '.join(NAMES)}")
    # Every new topic makes it warn of retries until it has heard of all leaders.
    logging.getLogger("aiokafka").setLevel(logging.ERROR)
    for name in arguments.names or NAMES:
        print(f"{name}:", flush=True)
        started = monotonic()
        section, machine = _run(name, trial=arguments.trial)
        print(f"  {monotonic() - started:.0f} s in all", flush=True)
        print(render(name, section, machine), flush=True)
        if not arguments.trial:
            write(name, section, machine)


def _run(name: str, *, trial: bool) -> tuple[Section, str]:
    """On servers of its own. They keep off the first ``APART`` cores, where the module puts what it measures, as far as
    there are others; a module without it has everything on two cores."""
    module = importlib.import_module(f"tests.benchmarks.{name}")
    cores = sorted(os.sched_getaffinity(0))
    apart = getattr(module, "APART", 0)
    with TemporaryDirectory(prefix="dwell-bench-") as folder:
        home = Path(folder)
        home.chmod(0o755)  # as root, PostgreSQL runs under another account
        # Inherited by the servers, and by whatever is started here and not pinned elsewhere.
        os.sched_setaffinity(0, (cores[apart:] or cores) if apart else cores[:2])
        try:
            with LocalServers(home / "servers") as local:
                servers = Servers(kafka=local.kafka, postgres=local.postgres, redis=local.redis)
                make_template(servers.postgres)
                machine = asyncio.run(describe(servers))
                rounds, scale = (TRIAL_ROUNDS, TRIAL_SCALE) if trial else (ROUNDS, 1)
                bench = Bench(servers, local.process_id("kafka"), home, cores, rounds=rounds, scale=scale)
                return asyncio.run(module.measure(bench)), machine
        finally:
            os.sched_setaffinity(0, cores)


if __name__ == "__main__":
    main()
