"""The hand-written messages under `schemas/examples`: every version of the code must be able to read them."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator

from services.common.events.common import MAX_ENVELOPE_ITEMS, Envelope
from services.common.kafka.envelopes import decode, envelopes, key_of
from services.common.topics import SPECS, TOPICS, Topic, TopicSpec

SCHEMAS = Path(__file__).parents[2] / "schemas"
EXAMPLES = sorted((SCHEMAS / "examples").glob("*/*.json"))

every_example = pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: f"{path.parent.name}/{path.stem}")
every_topic = pytest.mark.parametrize("spec", TOPICS, ids=lambda spec: str(spec.topic))


def topic_of(path: Path) -> Topic:
    return Topic(path.parent.name)


def committed_schema(topic: Topic) -> Draft202012Validator:
    schema = json.loads((SCHEMAS / "events" / f"{topic}.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)


def load(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(path.read_text())
    return loaded


@every_topic
def test_a_topic_has_examples(spec: TopicSpec) -> None:
    assert [path for path in EXAMPLES if topic_of(path) is spec.topic]


@every_example
def test_an_example_of_any_version_decodes_with_the_current_model(path: Path) -> None:
    decoded = decode(topic_of(path), path.read_bytes())
    assert decoded.bad == []
    assert len(decoded.items) == len(load(path)["items"])


@every_example
def test_an_example_is_what_the_committed_schema_says(path: Path) -> None:
    committed_schema(topic_of(path)).validate(load(path))


@every_example
def test_what_is_written_today_is_what_the_committed_schema_says(path: Path) -> None:
    topic = topic_of(path)
    for key, value in envelopes(topic, decode(topic, path.read_bytes()).items, "test"):
        committed_schema(topic).validate(json.loads(value))
        assert key


@every_example
def test_readers_ignore_fields_that_they_do_not_know(path: Path) -> None:
    document = load(path)
    document["added_later"] = {"deep": [1]}
    for item in document["items"]:
        item["added_later"] = "anything"
    topic = topic_of(path)
    assert decode(topic, json.dumps(document).encode()) == decode(topic, path.read_bytes())
    committed_schema(topic).validate(document)


@every_example
def test_an_envelope_is_of_one_camera(path: Path) -> None:
    topic, document = topic_of(path), load(path)
    keys = {key_of(topic, item) for item in decode(topic, path.read_bytes()).items}
    assert len(keys) == 1
    if topic in (Topic.ALERT_RULES, Topic.QUARANTINE):
        return
    assert keys == {document["camera_id"]}


@every_topic
@pytest.mark.parametrize("count", [0, MAX_ENVELOPE_ITEMS + 1])
def test_an_envelope_without_items_or_with_too_many_is_refused_by_the_schema_too(spec: TopicSpec, count: int) -> None:
    example = load(next(path for path in EXAMPLES if topic_of(path) is spec.topic))
    document = {**example, "items": example["items"][:1] * count}
    assert not committed_schema(spec.topic).is_valid(document)
    [bad] = decode(spec.topic, json.dumps(document).encode()).bad
    assert bad.reason_code == "schema_violation"


@every_example
def test_a_time_without_an_offset_is_refused(path: Path) -> None:
    topic, document = topic_of(path), load(path)
    times = [name for name in document["items"][0] if name.endswith("_at") or name in ("minute", "event_time")]
    for name in times:
        item = {**document["items"][0], name: "2026-03-10T10:00:00"}
        [bad] = decode(topic, json.dumps({**document, "items": [item]}).encode()).bad
        assert bad.reason_code == "schema_violation"
    assert times


def test_compacted_topics_carry_one_item_a_record() -> None:
    generic: Any = Envelope
    for path in EXAMPLES:
        if SPECS[topic_of(path)].cleanup == "compact":
            envelope = msgspec.json.decode(path.read_bytes(), type=generic[SPECS[topic_of(path)].item])
            assert len(envelope.items) == 1
            assert len(list(envelopes(topic_of(path), envelope.items * 3, "test"))) == 3
