"""Settings that every service shares: where the servers are, and the numbers that must agree across processes."""

import os
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, computed_field
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from services.common.zones import zone_named

FILE_VARIABLE = "DWELL_SETTINGS_FILE"


def _split(value: object) -> object:
    if not isinstance(value, str):
        return value
    return tuple(name for part in value.split(",") if (name := part.strip()))


CommaList = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
"""Several values in one variable, with commas between."""


def _existing_zone(name: str) -> str:
    try:
        return zone_named(name).key
    except ValueError as error:
        raise ValueError(f"DWELL_SITE_TIMEZONE: {error}") from None


class CommonSettings(BaseSettings):
    """Read from the environment with the prefix ``DWELL_``, and for what is not set there from the file that
    ``DWELL_SETTINGS_FILE`` names, of lines ``NAME=value``; a service extends it with its own fields.

    ``kafka``, ``postgres`` and ``redis`` name existing servers; where one is empty, the local stack's port is used.
    """

    model_config = SettingsConfigDict(env_prefix="DWELL_", extra="ignore", frozen=True)

    home: Path = Path(".dwell")
    host: str = "127.0.0.1"
    log_level: str = "INFO"

    kafka: str = ""
    kafka_port: int = 9092
    kafka_replication: int = 1
    postgres: str = Field("", repr=False)
    postgres_port: int = 5433
    redis: str = Field("", repr=False)
    redis_port: int = 6380

    gateway_port: int = 8000
    notifier_port: int = 8001
    ingest_port: int = 8002
    processor_port: int = 8003
    insights_port: int = 8004
    sink_port: int = 8005

    site_timezone: Annotated[str, AfterValidator(_existing_zone)] = "UTC"
    session_gap_seconds: float = Field(60.0, ge=0)
    session_gap_overrides: dict[str, float] = Field(default_factory=dict, description="camera_id → gap in seconds")
    implausible_dwell_hours: float = Field(24.0, gt=0, description="longer appearances and insight events are refused")
    watchdog_seconds: float = Field(
        60.0, gt=0, description="a reader of topics with records waiting that commits none for so long is started anew"
    )
    lag_limit: int = Field(50_000, description="records behind the log end above which /readyz answers 503")

    @computed_field  # type: ignore[prop-decorator]
    @property
    def kafka_bootstrap(self) -> str:
        return self.kafka or f"127.0.0.1:{self.kafka_port}"

    @computed_field(repr=False)  # type: ignore[prop-decorator]
    @property
    def postgres_dsn(self) -> str:
        return self.postgres or f"postgresql://dwell:dwell@127.0.0.1:{self.postgres_port}/dwell"

    @computed_field(repr=False)  # type: ignore[prop-decorator]
    @property
    def redis_url(self) -> str:
        return self.redis or f"redis://127.0.0.1:{self.redis_port}/0"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        file = os.environ.get(FILE_VARIABLE)
        if not file:
            return init_settings, env_settings
        if not Path(file).is_file():
            raise ValueError(f"{FILE_VARIABLE}: there is no file {file}")
        return init_settings, env_settings, DotEnvSettingsSource(settings_cls, env_file=file)

    def gap_seconds(self, camera_id: str) -> float:
        return self.session_gap_overrides.get(camera_id, self.session_gap_seconds)

    def shown(self) -> dict[str, Any]:
        """All but the secrets, which are no part of the repr either."""
        secrets = {name for name, field in type(self).model_fields.items() if not field.repr}
        secrets |= {name for name, field in type(self).model_computed_fields.items() if not field.repr}
        return self.model_dump(mode="json", exclude=secrets)
