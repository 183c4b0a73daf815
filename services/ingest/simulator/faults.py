"""What goes wrong, on demand."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Faults(BaseModel):
    """Counters are used up, one a request or stream; the others last until they are set back."""

    model_config = ConfigDict(extra="forbid", validate_assignment=True)

    drops: int = Field(0, ge=0, description="so many streams end in the middle of a line")
    drop_every: int = Field(0, ge=0, description="every stream ends in the middle of the line of its so-manieth event")
    unauthorized: int = Field(0, ge=0, description="so many requests are told 401; every token given out is void then")
    refused_logins: int = Field(0, ge=0, description="so many logins are told 401 though they are right")
    one_session: bool = Field(False, description="a login ends the session that the user had, and its streams")
    redirects: int = Field(0, ge=0, description="so many requests of the direct stream are told 307")
    errors: int = Field(0, ge=0, description="so many requests, logins too, are told 500")
    duplicate: float = Field(0.0, ge=0, le=1, description="this share of events is sent twice")
    recorded: float = Field(0.0, ge=0, le=1, description="after this share of events comes one of recorded video")
    unknown_types: float = Field(0.0, ge=0, le=1, description="after this share of events comes one of no known type")
    reorder: int = Field(0, ge=0, description="events are shuffled within so many that are sent together")
    clock_jump_seconds: float = Field(0.0, description="the vendor's clock is ahead by so much")
    silence: bool = Field(False, description="streams stay open and say nothing; what they would have said comes later")
    slow_seconds: float = Field(0.0, ge=0, description="every answer and every piece of a stream waits for so long")
    piece_bytes: int = Field(0, ge=0, description="streams come in pieces of so many bytes")
    odd: bool = Field(False, description="streams use all that the format allows; history holds nulls")

    def set(self, **wanted: Any) -> None:
        """All of them or, where one is wrong (`ValueError`), none."""
        checked = Faults.model_validate({**self.model_dump(), **wanted})
        for name in wanted:
            setattr(self, name, getattr(checked, name))
