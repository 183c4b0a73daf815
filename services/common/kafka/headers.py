"""Record headers: CloudEvents in binary mode, and the W3C trace context."""

import secrets
import uuid
from contextvars import ContextVar

from services.common import clock
from services.common.events.common import isoformat
from services.common.topics import Topic

traceparent: ContextVar[str | None] = ContextVar("traceparent", default=None)
"""The trace that the current work belongs to; what is published meanwhile continues it."""


def new_traceparent() -> str:
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"


def event_headers(topic: Topic, source: str) -> list[tuple[str, bytes]]:
    parent = traceparent.get()
    trace = f"00-{parent.split('-')[1]}-{secrets.token_hex(8)}-01" if parent else new_traceparent()
    return [
        ("ce_specversion", b"1.0"),
        ("ce_id", str(uuid.uuid4()).encode()),
        ("ce_source", source.encode()),
        ("ce_type", f"dwellstream.{topic}".encode()),
        ("ce_time", isoformat(clock.now()).encode()),
        ("content-type", b"application/json"),
        ("traceparent", trace.encode()),
    ]


def continue_trace(headers: list[tuple[str, bytes]] | None) -> None:
    """Make the trace of a received record the current one."""
    found = dict(headers or ()).get("traceparent")
    traceparent.set(found.decode("ascii", "replace") if found and found.count(b"-") == 3 else None)
