"""Values that a service keeps for itself, and that may have come to harm where they were kept."""

from typing import Any, TypeVar

import msgspec

T = TypeVar("T")


class UnreadableError(Exception):
    """The value is none that the service can have written."""


def read_kept(decoder: msgspec.msgpack.Decoder[T], value: Any) -> T:
    """Raises `UnreadableError`."""
    try:
        return decoder.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UnreadableError(str(error)) from error
