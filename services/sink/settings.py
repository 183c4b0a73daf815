"""What the sink needs beyond the common settings."""

from pydantic import Field

from services.common.settings import CommonSettings


class SinkSettings(CommonSettings):
    sink_batch_records: int = Field(500, ge=1, description="records of one transaction at most, of up to 500 items")
    sink_batch_wait_ms: int = Field(200, ge=1, description="how long a batch waits for its first record")
    sink_retry_seconds: float = Field(5.0, gt=0, description="longest pause between attempts while a server is away")
