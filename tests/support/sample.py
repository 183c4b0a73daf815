"""The sample day, written by the command that users have for it."""

import subprocess
import sys
from datetime import date
from pathlib import Path

from deploy.local.layout import ROOT


def sample_files(folder: Path, day: date) -> tuple[Path, Path]:
    """The CSV of appearances and the insight report."""
    command = [sys.executable, "-m", "deploy.sample", "--out", str(folder), "--day", day.isoformat()]
    subprocess.run([*command, "--timezone", "UTC"], cwd=ROOT, check=True)
    return folder / "appearances.csv", folder / "insights.json"
