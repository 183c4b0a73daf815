"""``python -m deploy.local``: run the whole stack on this machine. The Makefile prepares what it needs."""

import argparse
import sys
from time import monotonic

from pydantic import ValidationError

from deploy.local.demo import load_sample
from deploy.local.errors import LocalError
from deploy.local.logs import follow
from deploy.local.settings import LocalSettings
from deploy.local.stack import Stack
from deploy.local.status import status_lines


def say(text: str) -> None:
    print(f"dwellstream: {text}", flush=True)


def up(settings: LocalSettings, *, demo: bool) -> None:
    if demo:
        settings = settings.with_simulator()
    stack = Stack(settings, say=say)
    begun = monotonic()
    if stack.is_running:
        say("is already running")
    stack.up()
    if demo:
        load_sample(settings, say)
    say(f"ready after {monotonic() - begun:.0f} s\n")
    print(f"  {settings.address}\n  login: {settings.admin_email}  password: {settings.admin_password}\n")
    print("  make status, make logs, make down", flush=True)


def down(settings: LocalSettings) -> None:
    say("stopped" if Stack(settings).down() else "nothing was running")


def status(settings: LocalSettings) -> None:
    stack = Stack(settings)
    if not stack.is_running:
        raise LocalError(f"nothing runs in {settings.home}: `make up` or `make demo` starts it")
    print("\n".join(status_lines(settings, stack.states())))


def logs(settings: LocalSettings, service: str | None) -> None:
    for line in follow(settings.home / "log", service):
        print(line, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m deploy.local", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("demo", help="start everything, load the sample day and start the simulated camera feed")
    commands.add_parser("up", help="start everything")
    commands.add_parser("down", help="stop everything; the data stay")
    commands.add_parser("status", help="show what runs")
    commands.add_parser("logs", help="follow the logs").add_argument("service", nargs="?")
    arguments = parser.parse_args()
    try:
        settings = LocalSettings()
        match arguments.command:
            case "demo" | "up":
                up(settings, demo=arguments.command == "demo")
            case "down":
                down(settings)
            case "status":
                status(settings)
            case "logs":
                logs(settings, arguments.service)
    except ValidationError as error:
        wrong = "; ".join(f"DWELL_{str(each['loc'][0]).upper()}: {each['msg']}" for each in error.errors())
        sys.exit(f"dwellstream: a setting is wrong: {wrong}")
    except (KeyboardInterrupt, BrokenPipeError):
        sys.exit(130)
    except (LocalError, OSError) as error:
        sys.exit(f"dwellstream: {error}")


if __name__ == "__main__":
    main()
