"""Where PostgreSQL's server programs are: Debian keeps them off the PATH, one folder a version."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path


def installed_binaries() -> dict[str, Path]:
    """Major version → folder of its programs, newest first."""
    folders = {folder.parent.name: folder for folder in Path("/usr/lib/postgresql").glob("*/bin")}
    if on_path := shutil.which("postgres"):
        version = subprocess.run((on_path, "--version"), capture_output=True, text=True, check=True).stdout
        if major := re.search(r"\d+", version):
            folders.setdefault(major[0], Path(on_path).resolve().parent)
    complete = {version: folder for version, folder in folders.items() if (folder / "initdb").exists()}
    return dict(sorted(complete.items(), key=lambda item: int(item[0]), reverse=True))
