"""An appearance of which several origins may tell, and of which any of them may take its word back."""

from collections.abc import Iterable, Mapping, Sequence
from functools import reduce

from services.common.events.appearances import Appearance, MergedAppearance
from services.common.events.common import origin_of
from services.sink.domain.repair import Check, Span, misleading
from services.sink.domain.rows import AppearanceRow

Told = tuple[Appearance, int]
"""A report and the revision of session records that know of it."""

ByOrigin = Mapping[str, AppearanceRow]
"""What each origin tells of one appearance."""


def standing(known: ByOrigin, told: Iterable[Told]) -> ByOrigin:
    """What each origin tells after the reports, in the order of the log."""
    now = dict(known)
    for report, revision in told:
        origin = origin_of(report.source)
        if report.withdrawn:
            now.pop(origin, None)
        else:
            row = AppearanceRow.of(report, revision)
            now[origin] = now[origin].merge(row) if origin in now else row
    return now


def united(rows: ByOrigin) -> AppearanceRow | None:
    return reduce(AppearanceRow.merge, rows.values()) if rows else None


def checks(known: ByOrigin, told: Sequence[Told], now: AppearanceRow | None) -> list[Check]:
    """Where to look again after the reports of one appearance, which is `now` what they and what was known come to."""
    reports = [(revision, MergedAppearance.of(report)) for report, revision in told]
    if now is not None and not any(report.withdrawn for report, _ in told):
        return misleading(united(known), reports, now)
    seen = [row.merged for row in known.values()] + [report for _, report in reports]
    start, end = min(each.started_at for each in seen), max(each.ended_at for each in seen)
    camera_id = told[0][0].camera_id
    # Whom it was, is or was in between of is whom one of these tells it to be of.
    return [
        Check(Span(camera_id, subject_id, start, end), max(revision for revision, _ in reports), withdrawn=True)
        for subject_id in sorted({each.subject_id for each in seen})
    ]
