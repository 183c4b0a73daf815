"""An appearance of which several origins may tell, and of which any of them may take its word back."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import reduce

from msgspec import Struct

from services.common.events.appearances import Appearance, MergedAppearance
from services.common.events.common import origin_of
from services.sink.domain.facts import Check, Span
from services.sink.domain.repair import misleading
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


Change = tuple[Span, ...]
"""What became of an appearance that was known: a span for each subject that it is or was said to be of.

A processor that had forgotten it may see nothing new, and then tells nothing that would have it looked at."""


class Heard(Struct, frozen=True):
    """What session records may not tell: `spans` are to be looked at, `changes` if they touch a session in doubt."""

    spans: list[Span]
    changes: list[Change]


def change(before: AppearanceRow, told: Sequence[Told], now: AppearanceRow) -> Change | None:
    """None where it makes no difference to any session."""
    was, merged = before.merged, now.merged
    shown = [(each.subject_id, each.started_at, each.ended_at, each.age_group, each.gender) for each in (was, merged)]
    if shown[0] == shown[1]:
        return None
    told_of = {MergedAppearance.of(report).subject_id for report, _ in told}
    start, end = min(was.started_at, merged.started_at), max(was.ended_at, merged.ended_at)
    return tuple(
        Span(now.camera_id, subject_id, start, end)
        for subject_id in sorted({was.subject_id, merged.subject_id, *told_of})
    )


def unheard(changes: Iterable[Change], doubted: Collection[Span]) -> list[Span]:
    """Where to look at once, given which of the spans touch a session that was in doubt before: whoever takes an
    appearance for something else than it is has told so once, and was looked at then."""
    return [span for each in changes if not set(each).isdisjoint(doubted) for span in each]
