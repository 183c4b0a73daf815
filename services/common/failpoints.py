"""Places at which a process kills itself when a fault test asks for it, so that a crash can be put between two steps.

``DWELL_FAILPOINT=sink.before_commit`` kills the process at its first pass there, ``sink.before_commit:3`` at its third;
with ``:3:hang`` it never goes on from there instead.

| name                    | where the process ends                                                        |
|-------------------------|-------------------------------------------------------------------------------|
| state.before_write      | processor, insights: the changelog write is due; what is told before it is out |
| state.after_write       | processor, insights: Kafka has the changelog write                            |
| workers.before_ack      | processor, insights: outputs and state are out, the offset is not             |
| sink.before_begin       | sink: the batch is read, its transaction not begun                            |
| sink.before_commit      | sink: rows and offsets are written, not committed                             |
| sink.after_commit       | sink: PostgreSQL has the batch, Kafka's group has not heard of it             |
| sink.after_telling      | sink: Kafka has repaired sessions, which the outbox holds still               |
| gateway.after_publish   | gateway, upload worker: Kafka has a part of the file, its counts are not saved |
| gateway.before_response | gateway: the upload is complete, its client has not heard of it               |
| gateway.before_settle   | gateway: Kafka has a corrected row, which is not counted as accepted yet      |
| ingest.before_publish   | connector: a delivery is read and normalised, Kafka has none of it            |
| ingest.after_publish    | connector: Kafka has the delivery, neither its sender nor the cursor knows    |

Insights writes its state twice for a batch: the claim before its outputs, the rest after.
"""

import os
import signal
import time

_NAME, _PASS, _WAY, *_ = [*os.environ.get("DWELL_FAILPOINT", "").split(":"), "", ""]
_left = int(_PASS or 1)


def failpoint(name: str) -> None:
    """Kill or hang the process if this is the place and the pass that ``DWELL_FAILPOINT`` names."""
    if name == _NAME:
        _pass()


def _pass() -> None:
    global _left
    _left -= 1
    if _left == 0 and _WAY == "hang":
        time.sleep(10**6)
    elif _left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
