"""What is reported of one insight event: of each origin its latest report."""

from collections.abc import Mapping

import msgspec

from services.common.events.common import origin_of
from services.common.events.insights import InsightEvent
from services.common.kept import read_kept
from services.insights.domain.merge import newer

Reported = Mapping[str, InsightEvent]
"""By origin."""

_ENCODER = msgspec.msgpack.Encoder()
_DECODER: msgspec.msgpack.Decoder[InsightEvent | list[InsightEvent]] = msgspec.msgpack.Decoder(
    InsightEvent | list[InsightEvent]
)


def with_report(known: Reported, report: InsightEvent) -> Reported:
    origin = origin_of(report.source)
    if report.withdrawn:
        return {each: event for each, event in known.items() if each != origin}
    return {**known, origin: newer(known.get(origin), report)}


def event_of(reported: Reported) -> InsightEvent | None:
    """The report that holds; None when nobody reports the event any more."""
    found = None
    for report in reported.values():
        found = newer(found, report)
    return found


def encoded(reported: Reported) -> bytes:
    """The report itself where there is but one, as there nearly always is."""
    reports = [report for _, report in sorted(reported.items())]
    return _ENCODER.encode(reports[0] if len(reports) == 1 else reports)


def decoded(value: bytes) -> Reported:
    found = read_kept(_DECODER, value)
    reports = found if isinstance(found, list) else [found]
    return {origin_of(report.source): report for report in reports}
