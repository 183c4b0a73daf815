"""Cursors: up to where a client has seen, as text that only the notifier understands."""

import base64
import binascii
from collections.abc import Iterable
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from services.common.topics import PARTITIONS


class CursorError(Exception):
    """Not a cursor of ours."""


class Cursor(Struct, frozen=True, array_like=True):
    """`offsets` holds, of each partition of the alerts topic, the offset that comes next.

    They mean something only within one `epoch`, the identity of the topic: one that is made anew counts anew.
    """

    epoch: str
    offsets: Annotated[tuple[Annotated[int, Meta(ge=0)], ...], Meta(min_length=PARTITIONS, max_length=PARTITIONS)]

    def encode(self) -> str:
        return base64.urlsafe_b64encode(msgspec.json.encode(self)).rstrip(b"=").decode()

    def after(self, places: Iterable[tuple[int, int]]) -> "Cursor":
        """The cursor moved past the given (partition, offset) pairs."""
        offsets = list(self.offsets)
        for partition, offset in places:
            offsets[partition] = max(offsets[partition], offset + 1)
        return Cursor(self.epoch, tuple(offsets))


_DECODER = msgspec.json.Decoder(Cursor)


def decode_cursor(text: str) -> Cursor:
    try:
        return _DECODER.decode(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, msgspec.DecodeError, RecursionError) as error:
        raise CursorError(str(error)) from error
