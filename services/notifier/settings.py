"""What the notifier needs beyond the common settings."""

from pydantic import Field

from services.common.settings import CommaList, CommonSettings


class NotifierSettings(CommonSettings):
    token_secret: str = Field("", repr=False, description="verifies access tokens; empty: one kept in the home folder")
    allowed_origins: CommaList = Field((), description="origins on other hosts whose pages may use a visitor's cookie")
    notifier_hello_seconds: float = Field(5.0, gt=0, description="how long a socket may stay silent before it says who")
    notifier_heartbeat_seconds: float = Field(10.0, gt=0)
    notifier_send_seconds: float = Field(10.0, gt=0, description="a client that takes nothing for so long is dropped")
    notifier_clients: int = Field(5000, ge=1, description="sockets at once, at most")
    notifier_strangers: int = Field(200, ge=1, description="of which have not said who they are, at most")
    notifier_queue_frames: int = Field(256, ge=1, description="waiting for one client, at most")
    notifier_queue_bytes: int = Field(1024 * 1024, ge=1, description="waiting for one client, at most")
    notifier_recent_alerts: int = Field(10_000, ge=1, description="kept in memory for clients that come back")
    notifier_replay_alerts: int = Field(500, ge=1, description="given to a client that comes back, at most")
    notifier_replay_records: int = Field(10_000, ge=1, description="read from Kafka for such a client, at most")
    notifier_retry_seconds: float = Field(5.0, gt=0, description="pause between attempts while Kafka is away")
