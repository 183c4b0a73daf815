"""What several origins tell of one appearance, and what remains when one of them takes its word back."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.common.events.appearances import Appearance, subject_id_of
from services.sink.domain.facts import Check, Span
from services.sink.domain.reports import ByOrigin, checks, standing, united
from services.sink.domain.rows import AppearanceRow

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


def at(seconds: int) -> datetime:
    return NOON + timedelta(seconds=seconds)


def report(source: str, start: int = 0, end: int = 9, person: str | None = None, **fields: Any) -> Appearance:
    return Appearance(
        appearance_key="a",
        camera_id="c1",
        subject_id=subject_id_of(person, None, "a"),
        person_id=person,
        started_at=at(start),
        ended_at=at(end),
        reported_at=at(end),
        source=source,
        **fields,
    )


def told(*reports: Appearance, known: ByOrigin | None = None, first: int = 1) -> ByOrigin:
    """The n-th report is known to session records from revision 2n on."""
    return standing(known or {}, [(report, 2 * number) for number, report in enumerate(reports, first)])


class TestStanding:
    def test_the_reports_of_each_origin_are_one_row_whatever_the_row_of_its_file(self) -> None:
        rows = told(report("upload:1#2", end=5), report("corsight:webhook"), report("upload:1#7", start=-5))
        assert {origin: row.merged.started_at for origin, row in rows.items()} == {
            "upload:1": at(-5),
            "corsight:webhook": at(0),
        }

    def test_a_withdrawal_takes_what_its_origin_told_before_and_nothing_else(self) -> None:
        rows = told(report("upload:1#2"), report("upload:2#2"), report("upload:1#2", withdrawn=True))
        assert rows.keys() == {"upload:2"}

    def test_what_the_origin_tells_afterwards_counts(self) -> None:
        out = report("upload:1#2", withdrawn=True)
        rows = told(report("upload:1#2", start=-60), out, report("upload:1#2"))
        assert [(row.merged.started_at, row.first_revision) for row in rows.values()] == [(at(0), 6)]

    def test_nothing_remains_of_what_only_one_told(self) -> None:
        rows = told(report("upload:1#2"), report("upload:1#2", withdrawn=True))
        assert united(rows) is None

    @given(
        st.lists(
            st.builds(
                report,
                st.sampled_from(["upload:1#1", "upload:1#2", "upload:2#1"]),
                st.integers(-3, 0),
                st.integers(1, 3),
                st.sampled_from([None, "ann", "bob"]),
                withdrawn=st.booleans(),
            ),
            max_size=8,
        ),
        st.integers(0, 8),
    )
    def test_the_cut_into_batches_changes_nothing(self, reports: list[Appearance], cut: int) -> None:
        known = told(*reports[:cut])
        assert told(*reports[cut:], known=known, first=len(reports[:cut]) + 1) == told(*reports)


def looked_at(known: Sequence[Appearance], *reports: Appearance) -> list[Check]:
    before = told(*known)
    new = [(report, 2 * number) for number, report in enumerate(reports, len(known) + 1)]
    return checks(before, new, united(standing(before, new)))


class TestChecks:
    def test_all_whom_it_was_or_is_of_are_looked_at_over_all_the_time_that_it_had(self) -> None:
        anonymous, named = report("corsight:webhook", 0, 9), report("upload:1#1", -30, 5, "ann")
        found = looked_at([anonymous, named], report("upload:1#1", -30, 5, "ann", withdrawn=True))
        spans = [Span("c1", subject, at(-30), at(9)) for subject in ("ann", "track:a")]
        assert found == [Check(span, 6, withdrawn=True) for span in spans]

    def test_so_are_those_whom_a_report_names_that_is_taken_back_at_once(self) -> None:
        one = report("upload:1#1", person="ann")
        found = looked_at([], one, report("upload:1#1", person="ann", withdrawn=True))
        assert found == [Check(Span("c1", "ann", at(0), at(9)), 4, withdrawn=True)]

    def test_reports_that_take_nothing_back_are_looked_at_only_where_they_mislead(self) -> None:
        one = report("upload:1#1", person="ann")
        assert looked_at([one], one) == []
        assert not any(check.withdrawn for check in looked_at([one], report("upload:2#1", person="bob")))


def test_the_origin_of_a_row_is_that_of_its_reports() -> None:
    assert AppearanceRow.of(report("upload:1#2"), 2).origin == "upload:1"
