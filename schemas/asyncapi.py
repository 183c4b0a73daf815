"""The topics as an AsyncAPI 3 document with Kafka bindings."""

from typing import Any

from services.common.topics import PARTITIONS, TOPICS, TopicSpec

BINDING_VERSION = "0.5.0"

_TEXT = {"type": "string"}
_HEADERS = {
    "type": "object",
    "description": "CloudEvents in binary mode, and the W3C trace context",
    "required": ["ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time", "content-type", "traceparent"],
    "properties": {
        "ce_specversion": {"const": "1.0"},
        "ce_id": {**_TEXT, "format": "uuid", "description": "with ce_source, the identity of the record"},
        "ce_source": _TEXT,
        "ce_type": {**_TEXT, "description": "dwellstream.<topic>"},
        "ce_time": {**_TEXT, "format": "date-time"},
        "content-type": {"const": "application/json"},
        "traceparent": {**_TEXT, "pattern": "^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$"},
    },
}


def asyncapi() -> dict[str, Any]:
    services = sorted({service for spec in TOPICS for service in (*spec.producers, *spec.consumers)})
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Dwellstream events",
            "version": "1",
            "description": "Every value is one envelope of 1 to 500 items of one key. Records may come twice; of two "
            "revisions of one record the greater is right. Readers ignore fields that they do not know.",
        },
        "defaultContentType": "application/json",
        "channels": {spec.topic: _channel(spec) for spec in TOPICS},
        "operations": {
            f"{service}.{action}.{spec.topic}": {
                "action": action,
                "channel": {"$ref": f"#/channels/{spec.topic}"},
                "summary": f"{service} {'writes' if action == 'send' else 'reads'} {spec.topic}",
            }
            for service in services
            for spec in TOPICS
            for action, members in (("send", spec.producers), ("receive", spec.consumers))
            if service in members
        },
        "components": {"messages": {spec.topic: _message(spec) for spec in TOPICS}},
    }


def _channel(spec: TopicSpec) -> dict[str, Any]:
    configuration: dict[str, Any] = {"cleanup.policy": [spec.cleanup]}
    if "retention.ms" in spec.config:
        configuration["retention.ms"] = int(spec.config["retention.ms"])
    return {
        "address": spec.topic,
        "description": spec.description,
        "messages": {"envelope": {"$ref": f"#/components/messages/{spec.topic}"}},
        "bindings": {
            "kafka": {
                "topic": spec.topic,
                "partitions": PARTITIONS,
                "topicConfiguration": configuration,
                "bindingVersion": BINDING_VERSION,
            }
        },
    }


def _message(spec: TopicSpec) -> dict[str, Any]:
    return {
        "name": f"dwellstream.{spec.topic}",
        "contentType": "application/json",
        "headers": _HEADERS,
        "payload": {
            "schemaFormat": "application/schema+json;version=draft-2020-12",
            "schema": {"$ref": f"./events/{spec.topic}.schema.json"},
        },
        "bindings": {"kafka": {"key": {**_TEXT, "description": spec.key}, "bindingVersion": BINDING_VERSION}},
    }
