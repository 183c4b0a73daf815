"""What is told of a file beside its bytes, wherever one is sent."""

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from services.gateway.filters import parse_zone

DEFAULT_ZONE = "UTC"


def zone_of(fields: Mapping[str, str]) -> ZoneInfo:
    """The zone of times that name none. Raises `InvalidRequestError`."""
    return parse_zone(fields.get("timezone") or DEFAULT_ZONE)


def described_form(file: str, zone: str) -> dict[str, Any]:
    """The multipart form as OpenAPI has it, with these descriptions of its two parts."""
    parts = {
        "timezone": {"type": "string", "description": zone},
        "file": {"type": "string", "format": "binary", "description": file},
    }
    form = {"type": "object", "required": ["file"], "properties": parts}
    return {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": form}}}}
