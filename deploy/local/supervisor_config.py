"""supervisord's configuration, made from the programs."""

import hashlib
import os
import shlex
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from deploy.local.layout import ROOT
from deploy.local.programs import Program, is_root

# The kernel takes 107 bytes for the path of a Unix socket.
SOCKET_PATH_BYTES = 100

LOG_BYTES = "10MB"
LOG_BACKUPS = 2

# A child that lived this long has started; one that ended sooner is started again ever more slowly.
START_SECONDS = 3

# About six days of attempts: a server that is away over the weekend is no reason to give a service up.
START_RETRIES = 1000


def socket_path(home: Path) -> Path:
    """The control socket: in the home, or in a short folder of one's own where the home lies too deep."""
    inside = home / "supervisor.sock"
    if len(os.fsencode(inside)) <= SOCKET_PATH_BYTES:
        return inside
    name = hashlib.sha256(os.fsencode(home)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"dwell-{os.getuid()}-{name}" / "supervisor.sock"


def pid_path(home: Path) -> Path:
    return home / "supervisor.pid"


def log_path(home: Path, program: str) -> Path:
    return home / "log" / f"{program}.log"


def render(home: Path, groups: Mapping[str, Sequence[Program]]) -> str:
    """Groups are stopped in reverse order, the programs of one group together; nothing starts by itself."""
    user = {"user": "root"} if is_root() else {}
    sections: dict[str, dict[str, str]] = {
        "supervisord": {
            "logfile": str(log_path(home, "supervisor")),
            "logfile_maxbytes": LOG_BYTES,
            "logfile_backups": str(LOG_BACKUPS),
            "childlogdir": str(home / "log"),
            "pidfile": str(pid_path(home)),
            "directory": str(ROOT),
            **user,
        },
        "unix_http_server": {"file": str(socket_path(home)), "chmod": "0700"},
        "rpcinterface:supervisor": {
            "supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface",
        },
    }
    for priority, (group, programs) in enumerate(groups.items(), 1):
        names = ",".join(program.name for program in programs)
        sections[f"group:{group}"] = {"programs": names, "priority": str(priority)}
        for program in programs:
            sections[f"program:{program.name}"] = _program(program, log_path(home, program.name))
    return "\n".join(_section(name, values) for name, values in sections.items())


def _program(program: Program, log: Path) -> dict[str, str]:
    values = {
        "command": shlex.join(program.command),
        # Another account may not be able to enter the repository.
        "directory": "/" if program.user else str(ROOT),
        "autostart": "false",
        "autorestart": "true",
        "startsecs": str(START_SECONDS),
        "startretries": str(START_RETRIES),
        "stopsignal": program.stop_signal,
        "stopwaitsecs": str(program.stop_seconds),
        "killasgroup": "true",
        # Of all values supervisord expands this one twice.
        "stdout_logfile": _literal(str(log)),
        "stdout_logfile_maxbytes": LOG_BYTES,
        "stdout_logfile_backups": str(LOG_BACKUPS),
        "redirect_stderr": "true",
    }
    if program.user:
        values["user"] = program.user
    if program.environment:
        values["environment"] = ",".join(f'{name}="{value}"' for name, value in program.environment.items())
    return values


def _literal(value: str) -> str:
    """As supervisord must read it to come out unchanged: it expands ``%(…)s``."""
    return value.replace("%", "%%")


def _section(name: str, values: Mapping[str, str]) -> str:
    return "\n".join([f"[{name}]", *(f"{key}={_literal(value)}" for key, value in values.items()), ""])
