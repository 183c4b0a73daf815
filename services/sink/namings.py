"""A name and when it was given, as two columns that are null together."""

from datetime import datetime

from services.common.events.appearances import Naming


def named(name: str | None, at: datetime | None) -> Naming | None:
    return None if name is None or at is None else Naming(at, name)


def columns(naming: Naming | None) -> tuple[str | None, datetime | None]:
    return (naming.name, naming.reported_at) if naming else (None, None)
