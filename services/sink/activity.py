"""What shows that a partition is being seen to although its offset stays."""

import time
from collections import Counter
from collections.abc import Hashable, Iterator
from contextlib import contextmanager

from services.sink.domain.batch import Partition

SLOW_SECONDS = 5.0
"""A statement usually takes a few hundred milliseconds."""


class Activity:
    def __init__(self) -> None:
        self.records: Counter[Partition] = Counter()
        """Read so far"""
        self.attempts = 0
        """At writing, that failed"""
        self._asked: dict[object, float] = {}

    @contextmanager
    def asking(self) -> Iterator[None]:
        """PostgreSQL is asked."""
        question = object()
        self._asked[question] = time.monotonic()
        try:
            yield
        finally:
            del self._asked[question]

    def of(self, partition: Partition) -> Hashable:
        """Changes while records of the partition come, while attempts fail, and while PostgreSQL takes its time, which
        has limits of its own. What another partition gets done is no sign of life of this one."""
        now = time.monotonic()
        is_slow = any(now - since > SLOW_SECONDS for since in self._asked.values())
        return self.records[partition], self.attempts, now if is_slow else None
