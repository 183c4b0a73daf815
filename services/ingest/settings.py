"""What the connector needs beyond the common settings."""

from pydantic import Field

from services.common.kept_secret import kept_secret
from services.common.settings import CommaList
from services.ingest.corsight.settings import CorsightSettings
from services.ingest.faces import FaceSettings
from services.ingest.sources.kafka_settings import KafkaSourceSettings

MAX_BODY_BYTES = 2 * 1024 * 1024
"""Whatever it holds, a single event of it fits into one Kafka record (4 MB), as a refusal in base64 too."""


class IngestSettings(CorsightSettings, FaceSettings, KafkaSourceSettings):
    corsight_sources: CommaList = Field(
        ("webhook",), description="where Corsight's events come from, with commas between; empty: nowhere"
    )
    corsight_webhook_secret: str = Field(
        "", repr=False, description="what a caller of the webhook must know; empty: one kept in the home folder"
    )
    ingest_max_body_bytes: int = Field(MAX_BODY_BYTES, ge=1, le=MAX_BODY_BYTES)
    ingest_requests: int = Field(256, ge=1, description="webhook requests at work at once; more are asked to come back")
    ingest_publish_seconds: float = Field(10.0, gt=0, description="how long Kafka may take to acknowledge a request")
    ingest_heartbeat_seconds: float = Field(10.0, gt=0, description="how often every known camera is told of")
    ingest_retry_seconds: float = Field(5.0, gt=0, description="pause between attempts while Kafka is away")

    @property
    def webhook_secret(self) -> str:
        return self.corsight_webhook_secret or kept_secret(self.home / "corsight_webhook_secret")
