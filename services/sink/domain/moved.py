"""Sessions that are no longer where they were told to be.

A session has its id from the key of its earliest appearance. That only grows, unless its reports are taken back: then
the same key may come again at another time, and with it the same id. Who keeps sessions by time never finds the one
that it had, so that is told to be gone, at its place, before the last word on the session is told again.
"""

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from services.common.events.sessions import Session, revision_of_repair


def moved(told: Iterable[Session], last: Mapping[str, Session]) -> tuple[list[Session], list[Session]]:
    """What is to be told: that those which were `told` are gone from where they were, and their `last` words again."""
    left: dict[str, list[Session]] = {}
    for each in told:
        now = last[each.session_id]
        # Readers pass over a partial record, and keep what they have at its place until a whole one says more.
        if (each.status == "active" or each.partial) and not _overlap(each, now):
            left.setdefault(each.session_id, []).append(each)
    gone, again = [], []
    for session_id, places in left.items():
        now = last[session_id]
        revision = revision_of_repair(max(each.revision for each in (*places, now)) + 1)
        gone += [
            replace(each, status="absorbed", absorbed_into=None, partial=False, revision=revision) for each in places
        ]
        again.append(replace(now, partial=False, revision=revision + 2))
    return gone, again


def _overlap(a: Session, b: Session) -> bool:
    return a.started_at <= b.ended_at and a.ended_at >= b.started_at
