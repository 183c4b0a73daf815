"""Whose pages may act with a visitor's cookie: browsers send it along from any page that opens a socket."""

from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit


def is_allowed(headers: Mapping[str, str], allowed: Sequence[str]) -> bool:
    """The page must come from this host, whatever the port, or from an origin in `allowed`.

    No origin at all means no browser, and so no page that could misuse anything.
    """
    origin = headers.get("origin")
    if origin is None or origin in allowed:
        return True
    host = _host(f"//{headers.get('host', '')}")
    return host is not None and _host(origin) == host


def _host(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None
