"""Where a Corsight system is, and how it is to be spoken to."""

from typing import Literal

from pydantic import Field

from services.common.settings import CommaList, CommonSettings


class CorsightSettings(CommonSettings):
    corsight_url: str = Field("", description="base address, as in https://corsight.example.com")
    corsight_layout: Literal["gateway", "direct"] = Field(
        "gateway", description="everything behind one port under the services' names, or every service on its own port"
    )
    corsight_users_url: str = Field("", description="address of this service, its prefix included, if not by layout")
    corsight_events_url: str = ""
    corsight_history_url: str = ""

    corsight_username: str = Field("", description="empty: without a login")
    corsight_password: str = Field("", repr=False)

    corsight_tls_verify: bool = Field(True, description="off: anybody on the way can read and change what is sent")
    corsight_ca_file: str = Field("", description="PEM of the authorities to trust in place of the system's")
    corsight_tls_fingerprint: str = Field("", description="SHA-256 of the one certificate to trust, in hex")

    corsight_connect_seconds: float = Field(10.0, gt=0)
    corsight_silence_seconds: float = Field(30.0, gt=0, description="without a byte for so long, a connection is dead")
    corsight_retry_seconds: float = Field(30.0, gt=0, description="longest pause between attempts")

    corsight_history_interval_seconds: float = Field(30.0, gt=0, description="how often history is read")
    corsight_history_overlap_seconds: float = Field(
        300.0, ge=0, description="how far each reading of history goes back before the end of the last"
    )
    corsight_history_first_hours: float = Field(24.0, ge=0, description="how far back a system read first is read")
    corsight_history_time_unit: Literal["seconds", "milliseconds"] = "seconds"
    corsight_history_cameras: CommaList = Field((), description="camera ids with commas between; empty: all cameras")
    corsight_history_camera_field: Literal["cameras", "cam_ids"] = Field(
        "cameras", description="under which name the system's version takes camera ids"
    )
    corsight_history_page: int = Field(300, ge=1, le=5_000, description="rows asked for at once")
