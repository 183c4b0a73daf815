"""How long to wait before the next attempt."""

from random import SystemRandom

FIRST_SECONDS = 1.0

_random = SystemRandom()


class Retries:
    """Full jitter: anything from nothing to a bound that doubles, so that many clients never come back at once."""

    def __init__(self, longest_seconds: float) -> None:
        self._longest = longest_seconds
        self._bound = FIRST_SECONDS

    def reset(self) -> None:
        self._bound = FIRST_SECONDS

    def next_seconds(self) -> float:
        pause = _random.uniform(0, min(self._bound, self._longest))
        self._bound = min(2 * self._bound, self._longest)
        return pause
