"""Whether an event costs the same, however many subjects are known and however many events there have been."""

from datetime import timedelta
from itertools import islice
from time import process_time

from services.common.events.appearances import Appearance
from services.common.topics import Topic
from services.processor.app import APP_ID
from services.processor.domain import buckets
from services.processor.domain.sessionizer import step
from tests.benchmarks.bench import Bench, Goal, Measured, Row, Section, pin, resident_bytes
from tests.benchmarks.drain import drain
from tests.benchmarks.load import PRESENT, at_camera, bulk

APART = 1

FEW, MANY, MOST = 1_000, 100_000, 1_000_000
"""Live (camera, subject) keys."""

EVENTS = 10_000_000
PROCESS_EVENTS = 250_000

RECORD = 500
RECORDS_BEFORE = 10
"""Of each camera: enough that its values are as large as they become."""

SAMPLE_RECORDS = 100

GAP = timedelta(seconds=60)

PAGE = f"""
A live key is a camera and a subject who is present there: {PRESENT} at each of 5, 500 and 5,000 cameras.

**Core** is the pure part of the processor on one core, in CPU seconds: the state's values come from a dictionary, a
step takes 500 appearances of one camera, the changed values are put back. Every camera has been fed until its values
are as large as they become. A round takes {SAMPLE_RECORDS} steps of each state in turn, at one camera after another.
The state after {{events:,}} events has {FEW:,} keys and has really taken them.

**Process** is `python -m services.processor` with {{process_events:,}} appearances, in one run with 5 cameras and one
with 500. It is told beside the core and has no goal: the 500 cameras are young and their values small, and of 5 cameras
many records wait at a time, which are then written once. A million keys only the core is tried with.
"""


class Core:
    """The processor's merge on a state in memory, without Kafka and Faust.

    The cameras see the same, so that the state of one, fed until it grows no more, can be given to all.
    """

    def __init__(self, keys: int) -> None:
        self.keys = keys
        self.events = 0
        self._seen = at_camera(0)
        self._reports: list[Appearance] = []
        self._turn = 0
        self._cameras: list[dict[str, bytes]] = [{}]
        self.take(RECORDS_BEFORE)
        [grown] = self._cameras
        self._turn = 0
        self._cameras = [
            {name: bytes(bytearray(value)) for name, value in grown.items()} for _ in range(keys // PRESENT)
        ]

    @property
    def bytes_per_key(self) -> float:
        return sum(len(value) for values in self._cameras for value in values.values()) / self.keys

    def take(self, records: int) -> float:
        """Take so many records in, each of the next camera; returns appearances a CPU second."""
        spent = 0.0
        for _ in range(records):
            number = self._turn % len(self._cameras)
            if number == 0:
                self._reports = list(islice(self._seen, RECORD))
            started = process_time()
            self._step(self._cameras[number])
            spent += process_time() - started
            self._turn += 1
        self.events += records * RECORD
        return records * RECORD / spent

    def _step(self, values: dict[str, bytes]) -> None:
        state = buckets.CameraState(values.get)
        step(state, self._reports, camera_id=self._reports[0].camera_id, gap=GAP, revision=2 * self._turn)
        values.update(state.writes())


async def measure(bench: Bench) -> Section:
    few_process, few_bytes = await _process(bench, FEW)
    many_process, many_bytes = await _process(bench, MANY)

    aged = Core(FEW)
    aged.take((bench.count(EVENTS) - aged.events) // RECORD)
    cores = {"few": Core(FEW), "many": Core(MANY), "most": Core(MOST), "aged": aged}

    async def one_round() -> dict[str, float]:
        return {name: core.take(SAMPLE_RECORDS) for name, core in cores.items()}

    found = await bench.repeat(one_round)
    flat = Goal(least=0.9)
    return Section(
        "what an event costs with many keys and after many events",
        PAGE.format(events=bench.count(EVENTS), process_events=bench.count(PROCESS_EVENTS)),
        [
            Row(f"core, {FEW:,} keys", found["few"], "appearances/CPU s"),
            Row(f"core, {MANY:,} keys", found["many"], "appearances/CPU s"),
            Row(f"core, {MOST:,} keys", found["most"], "appearances/CPU s"),
            Row(f"core after {bench.count(EVENTS):,} events", found["aged"], "appearances/CPU s"),
            Row(f"{MANY:,} keys ÷ {FEW:,}", found["many"] / found["few"], "x", flat),
            Row(f"{MOST:,} keys ÷ {FEW:,}", found["most"] / found["few"], "x", flat),
            Row(f"after {bench.count(EVENTS):,} events ÷ before", found["aged"] / found["few"], "x", flat),
            Row("state of a live key, with those who left", Measured((cores["most"].bytes_per_key,)), "bytes"),
            Row(f"process, {FEW:,} keys", Measured((few_process,)), "appearances/s"),
            Row(f"process, {MANY:,} keys", Measured((many_process,)), "appearances/s"),
            Row(
                f"memory of the process a key, from {FEW:,} to {MANY:,} keys",
                Measured(((many_bytes - few_bytes) / (MANY - FEW),)),
                "bytes",
            ),
        ],
    )


async def _process(bench: Bench, keys: int) -> tuple[float, int]:
    """The rate of the real process with so many keys, and its resident bytes afterwards."""
    load = bulk(bench.count(PROCESS_EVENTS), range(keys // PRESENT))
    async with bench.services() as processes:
        process = processes.spawn("processor", "-m", "services.processor")
        pin(process.pid, bench.one)
        drained = await drain(
            bench.servers.kafka, [process], group=APP_ID, source=Topic.APPEARANCES, output=Topic.SESSIONS, load=load
        )
        return drained.rate, resident_bytes(process.pid)
