"""What the stack runs: a program is a command and how it wants to be started and stopped."""

import os
import pwd
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class Program:
    """One kept process. ``user`` is the account it must run under, where that is not one's own."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    user: str | None = None
    stop_signal: Literal["TERM", "INT"] = "TERM"
    stop_seconds: int = 10
    ready_url: str | None = None


def account(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def is_root() -> bool:
    return os.geteuid() == 0


def python(*arguments: str) -> tuple[str, ...]:
    return (sys.executable, *arguments)
