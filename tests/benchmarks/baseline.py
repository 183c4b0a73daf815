"""What the baselines share: their topics, and the running session that they keep of a subject.

The next appearance extends or replaces the running session. That is less than sessions need here: no revision of an
appearance, none that comes late or twice, no two that melt together.
"""

from datetime import datetime
from typing import Any

EVENTS = "bench.events"
SESSIONS = "bench.sessions"
CHANGELOG = "bench.changelog"

NAIVE = "bench-naive"
QUIX = "bench-quix"
PLAIN_LOOP = "bench-plain-loop"
"""Their consumer groups."""

GAP_SECONDS = 60.0


def extended(session: dict[str, Any] | None, report: dict[str, Any]) -> dict[str, Any]:
    started_at = datetime.fromisoformat(report["started_at"])
    if session and (started_at - datetime.fromisoformat(session["ended_at"])).total_seconds() <= GAP_SECONDS:
        ended_at = max(session["ended_at"], report["ended_at"])
        dwell = datetime.fromisoformat(ended_at) - datetime.fromisoformat(session["started_at"])
        return {
            **session,
            "ended_at": ended_at,
            "dwell_seconds": dwell.total_seconds(),
            "appearance_count": session["appearance_count"] + 1,
            "age_group": report["age_group"],
            "gender": report["gender"],
        }
    return {
        "session_id": report["appearance_key"],
        "camera_id": report["camera_id"],
        "subject_id": report["subject_id"],
        "started_at": report["started_at"],
        "ended_at": report["ended_at"],
        "dwell_seconds": (datetime.fromisoformat(report["ended_at"]) - started_at).total_seconds(),
        "appearance_count": 1,
        "age_group": report["age_group"],
        "gender": report["gender"],
    }
