"""The page of benchmarks: what a figure looks like, and whose section a run rewrites."""

from pathlib import Path

import pytest

from tests.benchmarks.bench import Goal, Measured, Row, Section
from tests.benchmarks.page import HEAD, figure, render, write


def section(*values: float, goal: Goal | None = None) -> Section:
    return Section("a title", "What was run.", [Row("rate", Measured(values), "x", goal)])


def test_a_figure_is_the_median_of_its_rounds_with_the_extremes() -> None:
    assert "| rate | 2 x | 1 to 9 |" in render("sink", section(9.0, 1.0, 2.0), "a machine")


def test_a_ratio_is_taken_within_each_round() -> None:
    assert (Measured((10.0, 30.0)) / Measured((5.0, 10.0))).rounds == (2.0, 3.0)


@pytest.mark.parametrize(
    ("goal", "shown"),
    [
        (Goal(least=2.0), "≥ 2 x | met"),
        (Goal(least=2.1), "≥ 2.1 x | missed"),
        (Goal(most=1.9), "≤ 1.9 x | missed"),
        (Goal(least=0.9, most=2.0), "≥ 0.9 and ≤ 2 x | met"),
    ],
)
def test_a_goal_shows_whether_the_median_meets_it(goal: Goal, shown: str) -> None:
    assert shown in render("sink", section(9.0, 1.0, 2.0, goal=goal), "a machine")


@pytest.mark.parametrize(
    ("value", "text"), [(41_327.0, "41,300"), (1_234_567.0, "1,230,000"), (0.002134, "0.00213"), (12.34, "12.3")]
)
def test_a_figure_has_three_digits(value: float, text: str) -> None:
    assert figure(value) == text


def test_a_run_rewrites_its_own_section_and_no_other(tmp_path: Path) -> None:
    page = tmp_path / "benchmarks.md"
    write("sink", section(1.0), "first machine", page)
    write("processor", section(2.0), "first machine", page)
    write("sink", section(3.0), "second machine", page)
    expected = [
        HEAD,
        render("processor", section(2.0), "first machine"),
        render("sink", section(3.0), "second machine"),
    ]
    assert page.read_text() == "\n".join(expected)
