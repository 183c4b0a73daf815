"""Reports for tables worked out by hand: of one person at one camera on one day, unless said otherwise."""

from typing import Any

import pandas as pd

from tests import oracle

DAY = "2026-03-10T"


def seen(key: str, start: str, end: str, **fields: Any) -> dict[str, Any]:
    """A report of person p1 at camera c1; times of 2026-03-10."""
    report = {
        "appearance_key": key,
        "camera_id": "c1",
        "person_id": "p1",
        "started_at": f"{DAY}{start}Z",
        "ended_at": f"{DAY}{end}Z",
        "age_group": "other",
        "gender": "other",
        **fields,
    }
    return {"reported_at": report["ended_at"], **report}


def appearances_of(*reports: dict[str, Any]) -> pd.DataFrame:
    return oracle.appearances(oracle.reports(reports))


def sessions_of(*reports: dict[str, Any], **options: Any) -> pd.DataFrame:
    return oracle.sessions(appearances_of(*reports), **options)


def at(clock: str) -> pd.Timestamp:
    return pd.Timestamp(f"{DAY}{clock}Z")
