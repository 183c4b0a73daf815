"""What nobody heard of the stream: its appearances are in history, its insight events need not be."""

from datetime import datetime

from services.ingest.status import LOST_INSIGHTS, SourceStatus

MAX_SPANS = 100
"""That are still to be read, while history is away; of more the oldest become one."""

_Span = tuple[datetime, datetime]


class Unheard:
    """Tells insight events as missed where history was read over a span and gave none.

    Only of a system that is known to tell any: until it has, such spans wait for its first. Nor of one whose history
    has given some, for then there were none in the span.
    """

    def __init__(self, status: SourceStatus) -> None:
        self._status = status
        self._began_at: datetime | None = None
        self._has_gone_on = False
        self._are_told = False
        self._are_kept = False
        self._spans: list[_Span] = []
        self._read: list[_Span] = []

    def began(self, at: datetime) -> None:
        """The stream is heard for the first time in this process."""
        self._began_at = at

    def go_on(self, complete_at: datetime | None) -> None:
        """Up to when an earlier process had heard all; None where the system has told it of no insight event yet."""
        if complete_at and self._began_at:
            self._are_told = True
            self._spans.insert(0, (complete_at, self._began_at))
        self._has_gone_on = True

    @property
    def has_gone_on(self) -> bool:
        return self._has_gone_on

    def add(self, since: datetime, until: datetime) -> None:
        self._spans.append((since, until))
        if len(self._spans) > MAX_SPANS:
            (since, _), (_, until), *others = self._spans
            self._spans = [(since, until), *others]

    def heard_one(self) -> None:
        """The stream told an insight event."""
        self._are_told = True
        self._tell()

    def read_back(self, until: datetime, insights: int) -> None:
        """History was read up to there, so far as it can be, and gave so many insight events."""
        self._are_kept = self._are_kept or insights > 0
        self._read += [span for span in self._spans if span[1] <= until]
        self._spans = [span for span in self._spans if span[1] > until]
        self._tell()

    def complete_at(self, heard_at: datetime | None) -> datetime | None:
        """No insight event before this is still to be read back or told as missed, where everything up to `heard_at`
        was heard; None where there is nothing to go on from."""
        if not (self._are_told and self._has_gone_on and heard_at):
            return None
        return min([heard_at, *(since for since, _ in self._spans)])

    def _tell(self) -> None:
        if self._are_kept:
            self._read = []
        elif self._are_told:
            for since, until in self._read:
                self._status.missed(since, until, LOST_INSIGHTS)
            self._read = []
        else:
            self._read = self._read[-MAX_SPANS:]
