"""The insights service on bulk envelopes against the same sessions told one a record."""

from collections.abc import Iterator
from functools import cache, partial
from itertools import islice

from services.common.events.alerts import AlertRule
from services.common.events.common import MAX_ENVELOPE_ITEMS, stable_id
from services.common.events.sessions import Session, revision_after
from services.common.kafka.envelopes import envelopes
from services.common.topics import Topic
from services.insights.app import APP_ID
from tests.benchmarks.bench import Bench, Goal, Row, Section, pin
from tests.benchmarks.drain import drain
from tests.benchmarks.load import BEGIN, CAMERAS, PRESENT, SIGHTINGS, Records, at_camera, fill

APART = 1

SESSIONS = 200_000
SINGLE_SESSIONS = 10_000

RULES = [
    AlertRule(
        rule_id=kind,
        version=1,
        name=kind,
        kind=kind,
        threshold=threshold,
        severity="high",
        updated_at=BEGIN,
    )
    for kind, threshold in (("dwell_exceeded", 600.0), ("occupancy_exceeded", float(PRESENT)))
]

PAGE = f"""
One process on one core, `python -m services.insights` as it is deployed, reads what lies in sessions.v1; broker and
generator have the other cores. It has started before, and is stopped while the topic is filled: the clock runs from
there to its last output. Session revisions of {CAMERAS} cameras, {PRESENT} subjects present at each, every session
told {SIGHTINGS} times as it grows; a rule on dwell and one on occupancy are in force, and nobody breaks them. In bulk
500 revisions are one record ({{bulk:,}} in all), in single form each is one ({{single:,}}).
"""


async def measure(bench: Bench) -> Section:
    sessions, single_sessions = bench.count(SESSIONS), bench.count(SINGLE_SESSIONS)
    found = await bench.compare(
        bulk=partial(_rate, bench, bulk(sessions)),
        single=partial(_rate, bench, single(single_sessions)),
    )
    return Section(
        "one process on one core, bulk envelopes",
        PAGE.format(bulk=sessions, single=single_sessions),
        [
            Row("bulk envelopes", found["bulk"], "sessions/s"),
            Row("one session a record", found["single"], "sessions/s"),
            Row("bulk ÷ single", found["bulk"] / found["single"], "x", Goal(least=10)),
        ],
    )


async def _rate(bench: Bench, load: Records) -> float:
    async with bench.services() as processes:
        kafka = bench.servers.kafka
        await fill(kafka, Topic.ALERT_RULES, envelopes(Topic.ALERT_RULES, RULES, "gateway"))
        process = processes.spawn("insights", "-m", "services.insights")
        pin(process.pid, bench.one)
        drained = await drain(kafka, [process], group=APP_ID, source=Topic.SESSIONS, output=Topic.OCCUPANCY, load=load)
        return drained.rate


def sessions_at(camera: int, of_a_record: int) -> Iterator[Session]:
    """One camera's session revisions, without end, as the processor tells them of one appearance after another."""
    begun: dict[str, Session] = {}
    for number, seen in enumerate(at_camera(camera)):
        known = begun.get(seen.subject_id)
        started_at = known.started_at if known else seen.started_at
        begun[seen.subject_id] = session = Session(
            session_id=known.session_id if known else stable_id(seen.camera_id, seen.subject_id, seen.appearance_key),
            camera_id=seen.camera_id,
            subject_id=seen.subject_id,
            started_at=started_at,
            ended_at=seen.ended_at,
            dwell_seconds=(seen.ended_at - started_at).total_seconds(),
            visible_seconds=(seen.ended_at - started_at).total_seconds(),
            appearance_count=(known.appearance_count if known else 0) + 1,
            age_group=seen.age_group,
            gender=seen.gender,
            status="active",
            revision=revision_after(number // of_a_record),
        )
        yield session


@cache
def bulk(sessions: int) -> Records:
    return _records(sessions, MAX_ENVELOPE_ITEMS)


@cache
def single(sessions: int) -> Records:
    return _records(sessions, 1)


def _records(sessions: int, of_a_record: int) -> Records:
    """The cameras take turns, a record each."""
    of_cameras = [_of_camera(camera, sessions // CAMERAS, of_a_record) for camera in range(CAMERAS)]
    return [record for records in zip(*of_cameras, strict=True) for record in records]


def _of_camera(camera: int, sessions: int, of_a_record: int) -> Records:
    told = sessions_at(camera, of_a_record)
    records: Records = []
    for start in range(0, sessions, of_a_record):
        records += envelopes(Topic.SESSIONS, islice(told, min(of_a_record, sessions - start)), "processor")
    return records
