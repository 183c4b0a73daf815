"""Stamps: what was made from which content, so that the second run makes nothing again.

A stamp lies inside what it vouches for: whoever deletes the thing deletes the stamp.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from deploy.local.layout import ROOT


def digest(files: Iterable[Path], *facts: str) -> str:
    """Of the files' names and contents and of further facts that the result depends on."""
    sums = hashlib.sha256()
    for fact in facts:
        sums.update(f"{fact}\0".encode())
    for file in sorted(files):
        content = file.read_bytes()
        sums.update(f"{file.relative_to(ROOT)}\0{len(content)}\0".encode())
        sums.update(content)
    return sums.hexdigest()


def is_fresh(stamp: Path, wanted: str) -> bool:
    return stamp.is_file() and stamp.read_text(encoding="ascii") == wanted


def set_stamp(stamp: Path, made_from: str) -> None:
    stamp.write_text(made_from, encoding="ascii")
