"""How a customer's brokers let the mirror in: what the settings come to, and what is said of those that cannot work."""

import ssl
from pathlib import Path
from typing import Any

import pytest
from aiokafka.errors import KafkaConnectionError

from services.ingest.cameras import CameraBook
from services.ingest.publisher import Publisher
from services.ingest.settings import IngestSettings
from services.ingest.simulator.certificate import make_certificate
from services.ingest.sources import kafka
from services.ingest.sources.base import SourceError
from services.ingest.sources.kafka import KafkaSource
from services.ingest.sources.kafka_settings import KafkaSourceSettings

LOGIN = {"username": "mirror", "password": "hidden words"}


class FakeConsumer:
    """Keeps what the client was told, and reaches nobody."""

    told: dict[str, Any]

    def __init__(self, **told: Any) -> None:
        FakeConsumer.told = told

    async def start(self) -> None:
        raise KafkaConnectionError("nobody is there")

    async def stop(self) -> None:
        pass


def source(**named: str) -> KafkaSource:
    settings = {"topic": "events", "bootstrap": "broker.example.com:9093"} | named
    return KafkaSource(
        KafkaSourceSettings.model_validate({f"corsight_kafka_{name}": value for name, value in settings.items()}),
        Publisher(timeout_seconds=1),
        CameraBook(),
    )


async def told(monkeypatch: pytest.MonkeyPatch, **named: str) -> dict[str, Any]:
    """What of security the client is told."""
    monkeypatch.setattr(kafka, "AIOKafkaConsumer", FakeConsumer)
    with pytest.raises(SourceError, match="nobody is there"):
        await source(**named).test()
    return {name: value for name, value in FakeConsumer.told.items() if name.startswith(("security", "ssl", "sasl"))}


async def test_without_any_the_brokers_are_spoken_to_in_the_open(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await told(monkeypatch) == {"security_protocol": "PLAINTEXT"}


async def test_a_login_over_tls_takes_all_of_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path).certificate
    arguments = await told(
        monkeypatch,
        security_protocol="SASL_SSL",
        sasl_mechanism="SCRAM-SHA-512",
        ca_file=str(certificate),
        **LOGIN,
    )
    context = arguments.pop("ssl_context")
    assert arguments == {
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "mirror",
        "sasl_plain_password": "hidden words",
    }
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    pem = ssl.PEM_cert_to_DER_cert(certificate.read_text())
    assert context.get_ca_certs(binary_form=True) == [pem]


async def test_without_a_file_the_authorities_of_the_system_are_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = await told(monkeypatch, security_protocol="SSL")
    assert arguments.keys() == {"security_protocol", "ssl_context"}
    assert arguments["ssl_context"].verify_mode == ssl.CERT_REQUIRED


@pytest.mark.parametrize(
    ("named", "why"),
    [
        ({"security_protocol": "SASL_SSL"}, "it needs DWELL_CORSIGHT_KAFKA_USERNAME and DWELL_CORSIGHT_KAFKA_PASSWORD"),
        ({"security_protocol": "SASL_PLAINTEXT", "username": "mirror"}, "it needs DWELL_CORSIGHT_KAFKA_USERNAME and"),
        (LOGIN, "with which nobody logs in: a username and a password need SASL_SSL or SASL_PLAINTEXT"),
        ({"security_protocol": "SSL", "password": "hidden words"}, "with which nobody logs in"),
        ({"ca_file": "/etc/ca.pem"}, "which is not encrypted: DWELL_CORSIGHT_KAFKA_CA_FILE needs SSL or SASL_SSL"),
        ({"security_protocol": "SSL", "bootstrap": ""}, "but DWELL_CORSIGHT_KAFKA_BOOTSTRAP is empty"),
        ({"security_protocol": "SSL", "ca_file": "/nowhere.pem"}, "DWELL_CORSIGHT_KAFKA_CA_FILE /nowhere.pem: "),
    ],
)
async def test_what_cannot_work_is_told_in_plain_words(named: dict[str, str], why: str) -> None:
    with pytest.raises(SourceError, match=why) as wrong:
        await source(**named).test()
    assert "hidden words" not in str(wrong.value)


async def test_a_password_that_anybody_can_read_is_warned_of() -> None:
    [warning] = source(security_protocol="SASL_PLAINTEXT", **LOGIN).status.warnings
    assert "anybody there can read it" in warning
    assert source(security_protocol="SASL_PLAINTEXT", sasl_mechanism="SCRAM-SHA-256", **LOGIN).status.warnings == []
    assert source(security_protocol="SASL_SSL", **LOGIN).status.warnings == []


def test_no_secret_is_shown() -> None:
    settings = IngestSettings(
        corsight_password="hidden words", corsight_webhook_secret="hidden words", corsight_kafka_password="hidden words"
    )
    assert "hidden words" not in repr(settings)
    assert "hidden words" not in str(settings.shown())
