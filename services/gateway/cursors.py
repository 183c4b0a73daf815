"""Keyset cursors: where a page ended, opaque to the client."""

import base64
import binascii
from datetime import datetime
from typing import Generic, TypeVar

import msgspec

from services.gateway.errors import InvalidRequestError

V = TypeVar("V", datetime, float, str)


class Cursor(msgspec.Struct, Generic[V], frozen=True, array_like=True):
    """The last row of a page: the order it was read in, its value in that order, and its id as the tie-breaker."""

    order: str
    value: V
    id: str


def encode_cursor(order: str, value: datetime | float | str, row_id: str) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode([order, value, row_id])).decode().rstrip("=")


def decode_cursor(text: str | None, order: str, kind: type[V]) -> Cursor[V] | None:
    """Raises `InvalidRequestError` for a cursor that was not given out for this order."""
    if text is None:
        return None
    try:
        packed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        cursor: Cursor[V] = msgspec.json.decode(packed, type=Cursor[kind])  # type: ignore[valid-type]
    except (ValueError, binascii.Error, msgspec.DecodeError):
        raise InvalidRequestError("`cursor` is not one that this list gave out.") from None
    if cursor.order != order or (isinstance(cursor.value, datetime) and cursor.value.tzinfo is None):
        raise InvalidRequestError("`cursor` belongs to another list or order.")
    return cursor
