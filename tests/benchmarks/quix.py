"""``python -m tests.benchmarks.quix``: the sessions by Quix Streams, from the same envelopes as the processor's.

A state entry a subject under the camera's key, one output envelope an input envelope. Its checkpoints coalesce the
changelog; half a second between them, so that little of the work lies behind the last output.
"""

import os
from tempfile import TemporaryDirectory
from typing import Any

from quixstreams import Application, State

from services.common.topics import Topic
from tests.benchmarks.baseline import QUIX, SESSIONS, extended

CHECKPOINT_SECONDS = 0.5


def merge(envelope: dict[str, Any], state: State[str, Any]) -> dict[str, Any]:
    touched: dict[str, Any] = {}
    for report in envelope["items"]:
        subject = report["subject_id"]
        known = touched[subject] if subject in touched else state.get(subject)
        touched[subject] = extended(known, report)
    for subject, session in touched.items():
        state.set(subject, session)
    return {"camera_id": envelope["camera_id"], "items": list(touched.values())}


def main() -> None:
    with TemporaryDirectory() as folder:
        app = Application(
            broker_address=os.environ["DWELL_KAFKA"],
            consumer_group=QUIX,
            auto_offset_reset="earliest",
            commit_interval=CHECKPOINT_SECONDS,
            state_dir=folder,
            loglevel="WARNING",
        )
        appearances = app.topic(Topic.APPEARANCES.value, key_deserializer="str", value_deserializer="json")
        sessions = app.topic(SESSIONS, key_serializer="str", value_serializer="json")
        app.dataframe(appearances).apply(merge, stateful=True).to_topic(sessions)
        app.run()


if __name__ == "__main__":
    main()
