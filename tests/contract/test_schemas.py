"""The committed contract against the code that keeps it."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from schemas import export
from services.common.topics import PARTITIONS, TOPICS

ROOT = Path(__file__).parents[2]


def committed(name: str) -> Any:
    return json.loads((ROOT / "schemas" / name).read_text())


def test_the_committed_contract_is_what_the_code_says() -> None:
    checked = subprocess.run(
        [sys.executable, "-m", "schemas.export", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_drift_is_a_changed_a_missing_and_a_left_over_file(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(export, "ROOT", tmp_path)
    (tmp_path / "events").mkdir()
    for name in ("events/same.schema.json", "events/changed.schema.json", "events/left-over.schema.json"):
        (tmp_path / name).write_text("{}\n")
    wanted = {"events/same.schema.json": "{}\n", "events/changed.schema.json": "[]\n", "events/missing.schema.json": ""}
    assert export.drift(wanted) == [
        "events/changed.schema.json",
        "events/left-over.schema.json",
        "events/missing.schema.json",
    ]


def test_every_reference_in_asyncapi_leads_somewhere() -> None:
    document = committed("asyncapi.json")
    references = re.findall(r'"\$ref": "([^"]+)"', json.dumps(document))
    assert references
    for reference in references:
        if reference.startswith("#/"):
            found = document
            for part in reference.removeprefix("#/").split("/"):
                found = found[part]
        else:
            assert (ROOT / "schemas" / reference).is_file()


def test_asyncapi_tells_the_topic_table() -> None:
    channels = committed("asyncapi.json")["channels"]
    assert set(channels) == {str(spec.topic) for spec in TOPICS}
    for spec in TOPICS:
        binding = channels[spec.topic]["bindings"]["kafka"]
        assert binding["partitions"] == PARTITIONS
        assert binding["topicConfiguration"]["cleanup.policy"] == [spec.config["cleanup.policy"]]
        assert str(binding["topicConfiguration"].get("retention.ms", "")) == spec.config.get("retention.ms", "")


def test_every_topic_is_written_and_read_by_somebody() -> None:
    for row in committed("topics.json"):
        assert row["producers"]
        assert row["consumers"]
        assert (ROOT / "schemas" / row["schema"]).is_file()


def test_the_exported_files_name_no_host_and_no_path_of_a_machine() -> None:
    for path in (ROOT / "schemas").rglob("*.json"):
        text = path.read_text().replace("https://json-schema.org/draft/2020-12/schema", "")
        assert not re.search(r"https?://|localhost|127\.0\.0\.1|/home/|/root/", text), path
