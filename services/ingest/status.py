"""How a source is: what it says of itself in the open, kept in memory and written down by whoever watches it."""

from collections import deque
from datetime import datetime
from typing import Literal

from msgspec import Struct

from services.common import clock
from services.common.events.appearances import Appearance
from services.common.events.insights import InsightEvent
from services.ingest.intake import Taken

State = Literal["starting", "live", "catching_up", "retrying", "paused", "failed"]
"""`failed` is what no retry can mend, such as settings that contradict each other; a wrong password may be put right at
the other end, so it is `retrying`."""

MAX_ERRORS = 10
MAX_MISSED = 100
RATE_SECONDS = 60

LOST_INSIGHTS = "insight events, such as crowds, could not be read back from history"
"""Why a span is missed of which history gave every appearance."""


class Told(Struct, frozen=True):
    """Something that went wrong, in plain words."""

    at: datetime
    text: str


class Missed(Struct, frozen=True):
    """A span of which events may be lacking, since nothing could give them back."""

    since: datetime
    until: datetime
    reason: str


class Fetched(Struct):
    """What history gave of a span: every row was accepted, rejected or of an unknown type. `newest` is when the newest
    of what has finished was reported."""

    rows: int = 0
    accepted: int = 0
    rejected: int = 0
    insights: int = 0
    newest: datetime | None = None

    def add(self, taken: Taken, rows: int) -> None:
        self.rows += rows
        self.accepted += taken.accepted
        self.rejected += taken.rejected
        self.insights += len(taken.insights)


class SourceStatus:
    """The state of one source, which it tells by the methods. `changed` is true from a change of words until somebody
    has taken note; numbers alone do not set it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.kind = name.rpartition(":")[2]
        self.state: State = "starting"
        self.detail = "starting"
        self.changed = True
        self.heard_at: datetime | None = None
        self.newest_event_at: datetime | None = None
        self.lag_seconds: float | None = None
        self.accepted = 0
        self.rejected = 0
        self.unknown = 0
        self.next_retry_at: datetime | None = None
        self.cursor_at: datetime | None = None
        self.errors: deque[Told] = deque(maxlen=MAX_ERRORS)
        self.missed_spans: list[Missed] = []
        self.warnings: list[str] = []
        self._seconds: deque[tuple[int, int]] = deque(maxlen=RATE_SECONDS + 1)

    def starting(self) -> None:
        self._be("starting", "starting")

    def live(self, at: datetime | None = None, detail: str = "events arrive as they happen") -> None:
        """Connected, and nothing is waiting to be caught up with; `at` is when the source spoke, if it did."""
        self.heard_at = at or self.heard_at
        self._be("live", detail)

    def catching_up(self, detail: str) -> None:
        self._be("catching_up", detail)

    def retrying(self, reason: str, retry_at: datetime) -> None:
        self._be("retrying", reason)
        self.next_retry_at = retry_at
        self.went_wrong(reason)

    def paused(self) -> None:
        self._be("paused", "paused; nothing is taken until somebody resumes it")

    def failed(self, reason: str) -> None:
        self._be("failed", reason)
        self.went_wrong(reason)

    def went_wrong(self, reason: str) -> None:
        """An error that does not change the state; the same one again only moves its time."""
        if self.errors and self.errors[0].text == reason:
            self.errors.popleft()
        self.errors.appendleft(Told(clock.now(), reason))
        self.changed = True

    def heard(self, at: datetime) -> None:
        """Bytes came, be it only a sign of life."""
        self.heard_at = at

    def reached(self, cursor_at: datetime) -> None:
        """Everything up to here is in Kafka."""
        self.cursor_at = cursor_at

    def delivered(self, taken: Taken, now: datetime) -> None:
        """Kafka has what was taken."""
        self.heard_at = now
        self.accepted += taken.accepted
        self.unknown += taken.unknown
        self.rejected += taken.rejected
        self._count(taken.accepted, now)
        if reported_at := taken.reported_at:
            newest = max(map(_event_time, taken.facts))
            self.newest_event_at = max(newest, self.newest_event_at or newest)
            self.lag_seconds = max(0.0, (now - reported_at).total_seconds())

    def missed(self, since: datetime, until: datetime, reason: str) -> None:
        """Spans of one reason that touch become one; of many the oldest are forgotten."""
        touching = [
            span for span in self.missed_spans if span.reason == reason and span.since <= until and since <= span.until
        ]
        since = min([since, *(span.since for span in touching)])
        until = max([until, *(span.until for span in touching)])
        others = [span for span in self.missed_spans if span not in touching]
        self.missed_spans = sorted([*others, Missed(since, until, reason)], key=_since)[-MAX_MISSED:]
        self.changed = True

    def given_back(self, since: datetime, until: datetime, fetched: Fetched) -> None:
        """What was missed of this span has come after all; insight events only where there were some."""
        left = []
        for span in self.missed_spans:
            if span.reason == LOST_INSIGHTS and not fetched.insights:
                left.append(span)
                continue
            if span.since < since:
                left.append(Missed(span.since, min(span.until, since), span.reason))
            if span.until > until:
                left.append(Missed(max(span.since, until), span.until, span.reason))
        self.missed_spans = sorted(left, key=_since)
        self.changed = True

    def warn(self, text: str) -> None:
        """What stays true for as long as the settings are as they are."""
        if text not in self.warnings:
            self.warnings.append(text)
            self.changed = True

    def events_per_minute(self, now: datetime) -> int:
        oldest = now.timestamp() - RATE_SECONDS
        return sum(count for second, count in self._seconds if second > oldest)

    def _be(self, state: State, detail: str) -> None:
        if (state, detail) != (self.state, self.detail):
            self.changed = True
        self.state = state
        self.detail = detail
        self.next_retry_at = None

    def _count(self, accepted: int, now: datetime) -> None:
        second = int(now.timestamp())
        if self._seconds and self._seconds[-1][0] == second:
            accepted += self._seconds.pop()[1]
        self._seconds.append((second, accepted))


def _event_time(fact: Appearance | InsightEvent) -> datetime:
    return fact.ended_at if isinstance(fact, Appearance) else fact.started_at


def _since(span: Missed) -> tuple[datetime, datetime]:
    return span.since, span.until
