"""``python -m tests.benchmarks.upload_path FILE TIMES [publish]``: a CSV's bytes → envelopes, or on → Kafka's answer.

The rows of the file come TIMES over. Prints JSON: rows, seconds, cpu_seconds, and the most memory that was taken.
"""

import asyncio
import json
import os
import sys
from pathlib import Path
from time import monotonic, process_time
from typing import Any

from services.common import clock
from services.common.corsight.chunks import ReadLimits
from services.common.corsight.csv import read_appearances
from services.common.kafka.envelopes import envelopes
from services.common.kafka.producer import EventProducer
from services.common.topics import Topic
from tests.benchmarks.bench import peak_bytes
from tests.support.repeated import Repeated

SOURCE = "upload:5f0c1a52"


def main(path: Path, times: int, *, publish: bool) -> None:
    header, _, body = path.read_bytes().partition(b"\n")
    found = asyncio.run(run(Repeated(header + b"\n", body, times), publish=publish))
    print(json.dumps({**found, "peak_bytes": peak_bytes(os.getpid())}))


async def run(file: Any, *, publish: bool) -> dict[str, float]:
    rows = 0
    async with EventProducer(os.environ["DWELL_KAFKA"], "benchmark") as producer:
        started, cpu = monotonic(), process_time()
        limits = ReadLimits(max_bytes=1 << 40)
        chunks = read_appearances(file, source_prefix=SOURCE, now=clock.now(), limits=limits)
        while (chunk := await asyncio.to_thread(next, chunks, None)) is not None:
            assert not chunk.rejects, chunk.rejects[0]
            if publish:
                await producer.publish(Topic.APPEARANCES, chunk.items, SOURCE)
            else:
                for _ in envelopes(Topic.APPEARANCES, chunk.items, SOURCE):
                    pass
            rows += len(chunk.items)
        return {"rows": rows, "seconds": monotonic() - started, "cpu_seconds": process_time() - cpu}


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), publish="publish" in sys.argv[3:])
