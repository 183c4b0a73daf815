"""``python -m tests.benchmarks.sse_decode FILE TIMES``: a stream's bytes → facts, thrown away.

Prints JSON: events, seconds.
"""

import json
import sys
from pathlib import Path
from time import monotonic

from services.common import clock
from services.common.corsight.chunks import RowRules
from services.ingest.corsight.stream import EventStream, elements_of
from services.ingest.intake import take
from services.ingest.sources.sse import NAME

CHUNK = 65_536


def main(path: Path, times: int) -> None:
    data = path.read_bytes()
    stream, events, started = EventStream(), 0, monotonic()
    for _ in range(times):
        for start in range(0, len(data), CHUNK):
            payloads = stream.feed(data[start : start + CHUNK])
            taken = take(
                [event for payload in payloads for event in elements_of(payload, NAME)], NAME, RowRules(clock.now())
            )
            assert not taken.refused, taken.refused[0]
            events += taken.accepted
    print(json.dumps({"events": events, "seconds": monotonic() - started}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
