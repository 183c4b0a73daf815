"""Time zones by their names."""

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_NO_ZONES = ("localtime", "posixrules", "Factory", "posix/", "right/")
"""Beginnings of what lies beside the zones on a machine: its own, a stand-in for none, and copies of them all."""


def zone_named(name: str) -> ZoneInfo:
    """Raises `ValueError` where the IANA database has no such zone."""
    try:
        if not name.startswith(_NO_ZONES):
            return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        pass
    raise ValueError(f"{name[:64]!r} is no time zone of the IANA database.")
