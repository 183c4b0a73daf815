"""What the gateway and its upload worker need beyond the common settings."""

from pathlib import Path

from pydantic import Field

from services.common.corsight.chunks import ReadLimits
from services.common.settings import CommaList, CommonSettings

_ROOT = Path(__file__).resolve().parents[2]


class GatewaySettings(CommonSettings):
    admin_email: str = Field("", description="the first admin, created at start where nobody has this address")
    admin_password: str = Field("", repr=False)
    token_secret: str = Field("", repr=False, description="signs access tokens; empty: one kept in the home folder")
    token_ttl_seconds: int = Field(12 * 3600, gt=0)
    cookie_secure: bool = Field(False, description="send the session cookie over HTTPS only")
    allowed_origins: CommaList = Field(
        (), description="origins other than the gateway's own whose pages may act for a user"
    )
    notifier_url: str = Field("", description="address of the alert socket where a proxy changes it")
    frontend_dist: Path = _ROOT / "frontend" / "dist"

    inline_limit_bytes: int = Field(5_000_000, ge=0, description="larger uploads are queued instead of parsed at once")
    upload_reject_limit: float = Field(
        0.05, ge=0, le=1, description="share of refused rows above which an upload waits for a decision"
    )
    max_upload_bytes: int = Field(20_000_000_000, gt=0)
    max_unpacked_bytes: int = Field(20_000_000_000, gt=0, description="of a compressed upload")
    future_minutes: float = Field(5.0, ge=0)
    waiting_threshold_seconds: float = Field(600.0, ge=0)

    raw_store: str = Field(
        "", description="where raw files are kept: a folder, or s3://bucket/prefix; empty: raw in the home folder"
    )
    raw_store_retention_days: int = Field(
        0, ge=0, description="after so many days the raw file of a finished upload is removed; 0 keeps all"
    )

    publish_timeout_seconds: float = Field(10.0, gt=0, description="how long Kafka may take to acknowledge an upload")

    @property
    def read_limits(self) -> ReadLimits:
        return ReadLimits(
            max_bytes=self.max_unpacked_bytes,
            max_dwell_seconds=self.implausible_dwell_hours * 3_600,
            max_ahead_seconds=self.future_minutes * 60,
        )
