"""How a customer's brokers are spoken to: settings → what the Kafka client is told."""

from typing import Any

from services.ingest.corsight.tls import trusting
from services.ingest.sources.base import SourceError
from services.ingest.sources.kafka_settings import KafkaSourceSettings

READABLE = (
    "The password for the brokers is not encrypted on its way (DWELL_CORSIGHT_KAFKA_SECURITY_PROTOCOL is "
    "SASL_PLAINTEXT): anybody there can read it. SASL_SSL encrypts it, and SCRAM never sends it."
)


def mistake_of(settings: KafkaSourceSettings) -> str | None:
    """Why these settings cannot work together, in plain words."""
    protocol = settings.corsight_kafka_security_protocol
    named = f"DWELL_CORSIGHT_KAFKA_SECURITY_PROTOCOL is {protocol}"
    login = settings.corsight_kafka_username, settings.corsight_kafka_password
    if protocol != "PLAINTEXT" and not settings.corsight_kafka_bootstrap:
        return f"{named}, but DWELL_CORSIGHT_KAFKA_BOOTSTRAP is empty: our own Kafka is not spoken to in this way"
    if _logs_in(settings) and not all(login):
        return f"{named}: it needs DWELL_CORSIGHT_KAFKA_USERNAME and DWELL_CORSIGHT_KAFKA_PASSWORD"
    if any(login) and not _logs_in(settings):
        return f"{named}, with which nobody logs in: a username and a password need SASL_SSL or SASL_PLAINTEXT"
    if settings.corsight_kafka_ca_file and not _encrypts(settings):
        return f"{named}, which is not encrypted: DWELL_CORSIGHT_KAFKA_CA_FILE needs SSL or SASL_SSL"
    return None


def warnings_of(settings: KafkaSourceSettings) -> list[str]:
    """What is true of these settings and ought not to stay so."""
    is_readable = _logs_in(settings) and not _encrypts(settings) and settings.corsight_kafka_sasl_mechanism == "PLAIN"
    return [READABLE] if is_readable else []


def client_arguments(settings: KafkaSourceSettings) -> dict[str, Any]:
    """For `aiokafka`. Raises `SourceError` where the authorities cannot be read."""
    arguments: dict[str, Any] = {"security_protocol": settings.corsight_kafka_security_protocol}
    if _encrypts(settings):
        file = settings.corsight_kafka_ca_file
        try:
            arguments["ssl_context"] = trusting(file)
        except OSError as error:
            raise SourceError(f"DWELL_CORSIGHT_KAFKA_CA_FILE {file}: {error}") from error
    if _logs_in(settings):
        arguments["sasl_mechanism"] = settings.corsight_kafka_sasl_mechanism
        arguments["sasl_plain_username"] = settings.corsight_kafka_username
        arguments["sasl_plain_password"] = settings.corsight_kafka_password
    return arguments


def _logs_in(settings: KafkaSourceSettings) -> bool:
    return settings.corsight_kafka_security_protocol.startswith("SASL_")


def _encrypts(settings: KafkaSourceSettings) -> bool:
    return settings.corsight_kafka_security_protocol.endswith("SSL")
