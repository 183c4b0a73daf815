"""What of the past is in Kafka, and what is to be read back."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.common.events.appearances import Appearance
from services.ingest.intake import Taken

LOOK_BACK = timedelta(hours=1)
"""How far a track that is still going on holds the cursor back, at most."""

GOING_ON = timedelta(seconds=60)
"""A track of which nothing was told for so long has ended."""

MAX_TRACKS = 10_000


class Progress:
    """How far the events of a stream have come, by their own time.

    By which of its times history finds an appearance is not known. One that began long before a gap and ended in it is
    found in any case when the gap is read from its beginning on.
    """

    def __init__(self, long: timedelta) -> None:
        self._long = long / 2
        self.complete_at: datetime | None = None
        """Nothing that ended before this is missing; None before the first event."""
        self._newest: datetime | None = None
        self._tracks: dict[str, tuple[datetime, datetime]] = {}

    def add(self, taken: Taken, now: datetime) -> None:
        if reported_at := taken.reported_at:
            # Whatever the clocks there do: of this moment on, history is to be asked by their time.
            self._newest = min(now, reported_at)
        for appearance in taken.appearances:
            if appearance.reported_at - appearance.started_at > self._long:
                self._note(appearance)
        self._settle()

    def read_back(self, until: datetime) -> None:
        """Nothing before this is missing either."""
        self._newest = max(until, self._newest or until)
        self._settle()

    @property
    def newest(self) -> datetime | None:
        """When the latest of them was reported; None before the first."""
        return self._newest

    def _note(self, appearance: Appearance) -> None:
        self._tracks.pop(appearance.appearance_key, None)
        self._tracks[appearance.appearance_key] = (appearance.started_at, appearance.reported_at)
        if len(self._tracks) > MAX_TRACKS:
            del self._tracks[next(iter(self._tracks))]

    def _settle(self) -> None:
        if self._newest is None:
            return
        newest = self._newest
        self._tracks = {key: told for key, told in self._tracks.items() if newest - told[1] < GOING_ON}
        earliest = min((started_at for started_at, _ in self._tracks.values()), default=newest)
        self.complete_at = min(newest, max(earliest, newest - LOOK_BACK))


@dataclass(slots=True, eq=False)
class Gap:
    """A span without the stream. `since` is not known before the cursor was read, `until` not before it is back.

    It is looked at twice: what happened just before its end may be late in history.
    """

    since: datetime | None
    until: datetime | None = None
    looked_at: datetime | None = None

    @property
    def is_over(self) -> bool:
        return self.until is not None

    def is_due(self, now: datetime, after: timedelta) -> bool:
        return self.is_over and (self.looked_at is None or now - self.looked_at >= after)


class Unfinished:
    """The tracks that history said are running, until it says that they finished.

    One that is gone without having finished, within what was read, is to be looked for from its beginning on.
    """

    MAX_LOOKS = 3

    def __init__(self) -> None:
        self._tracks: dict[str, tuple[datetime, int]] = {}
        self._running: set[str] = set()

    def saw_running(self, appearances: Iterable[Appearance]) -> None:
        for appearance in appearances:
            self._tracks[appearance.appearance_key] = (appearance.started_at, 0)
            self._running.add(appearance.appearance_key)

    def saw_finished(self, appearances: Iterable[Appearance]) -> None:
        for appearance in appearances:
            self._tracks.pop(appearance.appearance_key, None)

    def reading_ended(self) -> None:
        self._tracks = {
            key: (started_at, 0 if key in self._running else looks + 1)
            for key, (started_at, looks) in self._tracks.items()
            if key in self._running or looks < self.MAX_LOOKS
        }
        self._running = set()

    @property
    def gone_since(self) -> datetime | None:
        """The earliest beginning of one that is gone."""
        return min((started_at for started_at, looks in self._tracks.values() if looks), default=None)

    @property
    def since(self) -> datetime | None:
        """The earliest beginning of all."""
        return min((started_at for started_at, _ in self._tracks.values()), default=None)
