"""``docs/benchmarks.md``: a section a module, each with its own date and machine."""

import re
from collections.abc import Iterator
from pathlib import Path

from deploy.local.layout import ROOT
from tests.benchmarks.bench import Goal, Row, Section

PAGE = ROOT / "docs" / "benchmarks.md"

NAMES = (
    "processor",
    "insights",
    "sink",
    "upload",
    "gateway",
    "bulk",
    "latency",
    "webhook",
    "sse",
    "history",
    "keys",
    "scaling",
)
"""The modules, in the order of the page."""

HEAD = """\
# Benchmarks

`make bench` writes this page, and `.venv/bin/python -m tests.benchmarks <name>` one section of it. It runs real servers
and real processes on the machine that each section names. A figure is the median of its rounds, with the smallest and
the greatest beside it. Within a round all that is compared runs in turn on the same broker and, where it is the same
work, on the same input; a ratio (`x`) or a difference is taken within the round. Compare ratios across machines, never
rates. Nothing here is a test: no build fails by a time.
"""


def write(name: str, section: Section, machine: str, page: Path = PAGE) -> None:
    """Put the section in its place, and leave the others as they are."""
    sections = dict(_sections(page.read_text(encoding="utf-8"))) if page.exists() else {}
    sections[name] = render(name, section, machine)
    text = "\n".join([HEAD, *(sections[each] for each in NAMES if each in sections)])
    page.write_text(text, encoding="utf-8")


def render(name: str, section: Section, machine: str) -> str:
    table = [
        "| | median | spread | goal | |",
        "|---|---:|---:|---:|---|",
        *(_line(row) for row in section.rows),
    ]
    return "\n".join([f"## `{name}`: {section.title}", "", section.text.strip(), "", *table, "", f"_{machine}_", ""])


def _sections(text: str) -> Iterator[tuple[str, str]]:
    for part in re.split(r"^(?=## `)", text, flags=re.MULTILINE)[1:]:
        name = part.split("`")[1]
        yield name, part.rstrip("\n") + "\n"


def _line(row: Row) -> str:
    low, high = row.measured.spread
    median = f"{figure(row.measured.median)} {row.unit}"
    spread = f"{figure(low)} to {figure(high)}" if len(row.measured.rounds) > 1 else "one run"
    goal, met = ("", "") if row.goal is None else (_goal(row.goal, row.unit), _met(row.goal, row.measured.median))
    return f"| {row.what} | {median} | {spread} | {goal} | {met} |"


def _goal(goal: Goal, unit: str) -> str:
    bounds = [f"{sign} {figure(bound)}" for sign, bound in (("≥", goal.least), ("≤", goal.most)) if bound is not None]
    return f"{' and '.join(bounds)} {unit}"


def _met(goal: Goal, value: float) -> str:
    return "met" if goal.met(value) else "missed"


def figure(value: float) -> str:
    """Three digits that mean something: 41,300 and 0.00213."""
    if abs(value) >= 1_000:
        digits = len(str(int(abs(value))))
        return f"{round(value, 3 - digits):,.0f}"
    return f"{value:.3g}"
