import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from services.common.settings import CommonSettings
from services.gateway.settings import GatewaySettings
from services.ingest.settings import IngestSettings
from services.notifier.settings import NotifierSettings


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("DWELL_")]:
        monkeypatch.delenv(name)


def test_without_settings_the_local_stack_is_meant() -> None:
    settings = CommonSettings()
    assert settings.kafka_bootstrap == "127.0.0.1:9092"
    assert settings.postgres_dsn == "postgresql://dwell:dwell@127.0.0.1:5433/dwell"
    assert settings.redis_url == "redis://127.0.0.1:6380/0"


def test_the_environment_moves_ports_and_names_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DWELL_KAFKA_PORT", "19092")
    monkeypatch.setenv("DWELL_POSTGRES", "postgresql://db.example/dwell")
    settings = CommonSettings()
    assert settings.kafka_bootstrap == "127.0.0.1:19092"
    assert settings.postgres_dsn == "postgresql://db.example/dwell"


def test_what_servers_are_reached_with_is_not_shown() -> None:
    settings = CommonSettings(
        postgres="postgresql://me:hidden@db/dwell", redis="redis://:hidden@cache/0", kafka="broker:9092"
    )
    assert "hidden" not in repr(settings)
    shown = settings.shown()
    assert "hidden" not in str(shown)
    assert shown["kafka_bootstrap"] == "broker:9092"


def test_a_camera_may_have_its_own_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DWELL_SESSION_GAP_SECONDS", "90")
    monkeypatch.setenv("DWELL_SESSION_GAP_OVERRIDES", '{"c2": 5.5}')
    settings = CommonSettings()
    assert (settings.gap_seconds("c1"), settings.gap_seconds("c2")) == (90.0, 5.5)


@pytest.mark.parametrize("settings", [GatewaySettings, NotifierSettings])
def test_origins_are_given_with_commas_between(
    monkeypatch: pytest.MonkeyPatch, settings: type[GatewaySettings | NotifierSettings]
) -> None:
    monkeypatch.setenv("DWELL_ALLOWED_ORIGINS", "https://a.example, https://b.example")
    assert settings().allowed_origins == ("https://a.example", "https://b.example")


def test_what_the_environment_does_not_say_a_file_may(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "site.env"
    file.write_text("DWELL_CORSIGHT_SOURCES=sse, history\nDWELL_CORSIGHT_USERNAME=reader\nDWELL_KAFKA_PORT=19092\n")
    monkeypatch.setenv("DWELL_SETTINGS_FILE", str(file))
    monkeypatch.setenv("DWELL_KAFKA_PORT", "29092")
    settings = IngestSettings()
    assert (settings.corsight_sources, settings.corsight_username) == (("sse", "history"), "reader")
    assert settings.kafka_port == 29092


def test_a_file_that_is_not_there_is_told_at_start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DWELL_SETTINGS_FILE", str(tmp_path / "nowhere"))
    with pytest.raises(ValueError, match="DWELL_SETTINGS_FILE: there is no file"):
        CommonSettings()


def test_a_wrong_value_is_refused_at_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DWELL_SESSION_GAP_SECONDS", "-1")
    with pytest.raises(ValidationError, match="session_gap_seconds"):
        CommonSettings()


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "localtime"])
def test_a_site_in_no_known_time_zone_is_refused_at_start(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("DWELL_SITE_TIMEZONE", name)
    with pytest.raises(ValidationError, match=f"DWELL_SITE_TIMEZONE: '{name}' is no time zone"):
        CommonSettings()


def test_addresses_with_passwords_are_not_shown() -> None:
    assert "dwell:dwell@" not in repr(CommonSettings())
