"""Keyset cursors: where a page ended, opaque to the client."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Generic, TypeVar

import msgspec

from services.gateway.errors import InvalidRequestError

V = TypeVar("V", datetime, float, str)


class Cursor(msgspec.Struct, Generic[V], frozen=True, array_like=True):
    """The last row of a page: the order it was read in, its value in that order, and its id as the tie-breaker."""

    order: str
    value: V
    id: str


def next_cursor(order: str, rows: Sequence[Mapping[str, Any]], limit: int, value: str, row_id: str) -> str | None:
    """Of a page of `limit` rows that was read with one more, to see whether there is any: where the next goes on."""
    if len(rows) <= limit:
        return None
    last = rows[limit - 1]
    return encode_cursor(order, last[value], str(last[row_id]))


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
