"""Where a customer's own topic of the vendor's events is."""

from pydantic import Field

from services.common.settings import CommonSettings


class KafkaSourceSettings(CommonSettings):
    corsight_kafka_bootstrap: str = Field("", description="brokers with commas between; empty: our own")
    corsight_kafka_topic: str = Field("", description="of JSON: a record is one event or an array of them")
    corsight_kafka_retry_seconds: float = Field(30.0, gt=0, description="longest pause between attempts")
