"""What the processor needs beyond the common settings."""

from pydantic import Field

from services.common.settings import CommonSettings


class ProcessorSettings(CommonSettings):
    implausible_dwell_hours: float = Field(24.0, gt=0, description="longer appearances are refused here too")
