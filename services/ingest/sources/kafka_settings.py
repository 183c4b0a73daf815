"""Where a customer's own topic of the vendor's events is, and how its brokers let us in."""

from typing import Literal

from pydantic import Field

from services.common.settings import CommonSettings


class KafkaSourceSettings(CommonSettings):
    corsight_kafka_bootstrap: str = Field("", description="brokers with commas between; empty: our own")
    corsight_kafka_topic: str = Field("", description="of JSON: a record is one event or an array of them")
    corsight_kafka_retry_seconds: float = Field(30.0, gt=0, description="longest pause between attempts")

    corsight_kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="SSL: encrypted; SASL: with a login"
    )
    corsight_kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "PLAIN"
    corsight_kafka_username: str = ""
    corsight_kafka_password: str = Field("", repr=False)
    corsight_kafka_ca_file: str = Field("", description="PEM of the authorities to trust in place of the system's")
