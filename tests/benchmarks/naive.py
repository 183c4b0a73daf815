"""``python -m tests.benchmarks.naive``: a Faust agent as its documentation teaches it, with its default settings.

One event a record, one table write an event, JSON.
"""

import os
from typing import Any

import faust

from services.common.topics import PARTITIONS
from tests.benchmarks.baseline import EVENTS, NAIVE, SESSIONS, extended


def create_app(bootstrap: str) -> faust.App:
    app = faust.App(NAIVE, broker=f"kafka://{bootstrap}", topic_partitions=PARTITIONS, web_enabled=False)
    table = app.Table("sessions")
    sessions = app.topic(SESSIONS)

    @app.agent(app.topic(EVENTS))
    async def appearances(stream: Any) -> None:
        async for report in stream:
            subject = f"{report['camera_id']}/{report['subject_id']}"
            session = extended(table.get(subject), report)
            table[subject] = session
            await sessions.send(key=report["camera_id"], value=session)

    return app


if __name__ == "__main__":
    faust.Worker(create_app(os.environ["DWELL_KAFKA"]), loglevel="WARN").execute_from_commandline()
