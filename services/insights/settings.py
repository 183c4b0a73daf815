"""What the insights service needs beyond the common settings."""

from pydantic import Field

from services.common.settings import CommonSettings


class InsightsSettings(CommonSettings):
    insight_window_seconds: float = Field(300.0, gt=0, description="on either side of an insight event")
