"""What has been worked out of values of the state table, for as long as the table holds those very values.

A value that another process wrote meanwhile is another object, so what is found here is right whatever happened. What
is remembered is never changed.
"""

from collections import OrderedDict
from collections.abc import Hashable, Sequence
from typing import Generic, TypeVar

Values = Sequence[bytes | None]


Key = TypeVar("Key", bound=Hashable)
Result = TypeVar("Result")


class Remembered(Generic[Key, Result]):
    """The results used last, up to a total of their weights."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[Key, tuple[Values, Result, int]] = OrderedDict()
        self._weight = 0

    def find(self, key: Key, values: Values) -> Result | None:
        """What was worked out of these values, if that is known."""
        found = self._kept.get(key)
        if found is None or any(value is not known for value, known in zip(values, found[0], strict=True)):
            return None
        self._kept.move_to_end(key)
        return found[1]

    def keep(self, key: Key, values: Values, result: Result, weight: int) -> None:
        if known := self._kept.pop(key, None):
            self._weight -= known[2]
        self._kept[key] = values, result, weight
        self._weight += weight
        while self._weight > self._most and len(self._kept) > 1:
            _, (_, _, dropped) = self._kept.popitem(last=False)
            self._weight -= dropped
