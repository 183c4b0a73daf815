"""Export the contract, language-neutral, from the code that keeps it: ``python -m schemas.export [--check]``.

Writes JSON Schemas of every topic's envelope, the topic table, AsyncAPI and OpenAPI beside this file, and the topic
table into the architecture page. With ``--check`` nothing is written: the files that differ from the code are listed
and the exit code is 1. The messages under `examples/` are written by hand and never exported: they are what the
contract is tested with.
"""

import argparse
import inspect
import json
import sys
from pathlib import Path
from typing import Any

import msgspec

from schemas.asyncapi import asyncapi
from services.common.events.common import Envelope
from services.common.topics import PARTITIONS, TOPICS, TopicSpec
from services.gateway.app import create_app
from services.gateway.settings import GatewaySettings

ROOT = Path(__file__).parent

ARCHITECTURE = "../docs/architecture.md"
TABLE_START = "<!-- topics: written by make schemas -->"
TABLE_END = "<!-- /topics -->"


def documents() -> dict[str, Any]:
    """Path below `schemas/` → the JSON document that belongs there."""
    found: dict[str, Any] = {f"events/{spec.topic}.schema.json": event_schema(spec) for spec in TOPICS}
    found["topics.json"] = topic_table()
    found["asyncapi.json"] = asyncapi()
    found["openapi.json"] = create_app(GatewaySettings()).openapi()
    return found


def event_schema(spec: TopicSpec) -> dict[str, Any]:
    """JSON Schema of a record's value. Open to unknown fields: readers ignore what they do not know."""
    generic: Any = Envelope
    (root,), components = msgspec.json.schema_components([generic[spec.item]], ref_template="#/$defs/{name}")
    for component in components.values():
        component["description"] = inspect.cleandoc(component["description"])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:dwellstream:{spec.topic}",
        "description": spec.description,
        **root,
        "$defs": components,
    }


def topic_table() -> list[dict[str, Any]]:
    return [
        {
            "topic": spec.topic,
            "description": spec.description,
            "key": spec.key,
            "partitions": PARTITIONS,
            "cleanup": spec.cleanup,
            "retention_days": spec.retention_days,
            "public": spec.public,
            "compatibility": "FULL_TRANSITIVE" if spec.public else "BACKWARD_TRANSITIVE",
            "producers": spec.producers,
            "consumers": spec.consumers,
            "schema": f"events/{spec.topic}.schema.json",
        }
        for spec in TOPICS
    ]


def architecture() -> str:
    """The architecture page with the topic table as it is now."""
    rows = [
        f"| `{spec.topic}` | {spec.description} | {spec.key} | {_cleanup(spec)} | {'public' if spec.public else ''} |"
        for spec in TOPICS
    ]
    table = "\n".join(["| topic | content | key | cleanup | |", "|---|---|---|---|---|", *rows])
    before, rest = (ROOT / ARCHITECTURE).read_text().split(TABLE_START)
    return f"{before}{TABLE_START}\n{table}\n{TABLE_END}{rest.split(TABLE_END)[1]}"


def _cleanup(spec: TopicSpec) -> str:
    return spec.cleanup if spec.retention_days is None else f"{spec.cleanup}, {spec.retention_days} d"


def render(document: Any) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def drift(wanted: dict[str, str]) -> list[str]:
    """Files that are missing, differ, or describe a topic that is no more."""
    stale = {f"events/{path.name}" for path in ROOT.glob("events/*.json")} - wanted.keys()
    differing = [
        name for name, text in wanted.items() if not (ROOT / name).is_file() or (ROOT / name).read_text() != text
    ]
    return sorted([*stale, *differing])


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m schemas.export", description="Export the contract.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 with the files that differ")
    check = parser.parse_args().check
    wanted = {name: render(document) for name, document in documents().items()}
    wanted[ARCHITECTURE] = architecture()
    changed = drift(wanted)
    if check:
        if changed:
            print("differ from the code, run `make schemas`:", *changed, sep="\n  ")
        return int(bool(changed))
    for name in changed:
        path = ROOT / name
        if name in wanted:
            path.parent.mkdir(exist_ok=True)
            path.write_text(wanted[name])
        else:
            path.unlink()
        print("wrote" if name in wanted else "removed", name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
