from pathlib import Path

import pytest

from services.ingest.app import Ingest
from services.ingest.settings import IngestSettings


@pytest.mark.parametrize(
    ("value", "sources"), [("webhook", ("webhook",)), ("sse, webhook", ("sse", "webhook")), ("", ()), (" , ", ())]
)
def test_sources_are_named_with_commas_between(
    monkeypatch: pytest.MonkeyPatch, value: str, sources: tuple[str, ...]
) -> None:
    monkeypatch.setenv("DWELL_CORSIGHT_SOURCES", value)
    assert IngestSettings().corsight_sources == sources


def test_the_webhook_is_on_by_default() -> None:
    assert IngestSettings().corsight_sources == ("webhook",)


def test_a_source_that_does_not_exist_is_told(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no source is named pigeon; there is history, kafka, sse, webhook"):
        Ingest(IngestSettings(home=tmp_path, corsight_sources=("webhook", "pigeon")))


def test_a_secret_that_nobody_configured_is_kept_for_the_next_start(tmp_path: Path) -> None:
    first, next_start = IngestSettings(home=tmp_path), IngestSettings(home=tmp_path)
    assert first.webhook_secret == next_start.webhook_secret
    assert IngestSettings(home=tmp_path, corsight_webhook_secret="given").webhook_secret == "given"
