"""What the sink needs beyond the common settings."""

from pydantic import Field

from services.common.settings import CommonSettings


class SinkSettings(CommonSettings):
    instance_id: str | None = Field(
        None,
        description="name of this process in its group: a fast restart takes its partitions back without a rebalance",
    )
    sink_batch_records: int = Field(500, ge=1, description="records of one transaction, at most")
    sink_batch_bytes: int = Field(8 * 1024 * 1024, ge=1, description="a transaction takes no more records beyond this")
    sink_poll_seconds: float = Field(0.2, gt=0, description="how long a batch waits for its first record")
    sink_retry_seconds: float = Field(5.0, gt=0, description="longest pause between attempts while a server is away")
