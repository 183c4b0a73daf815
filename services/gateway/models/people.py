"""Users and their logins."""

from typing import Literal

from pydantic import BaseModel, Field

Role = Literal["viewer", "operator", "analyst", "admin"]


class LoginRequest(BaseModel):
    email: str = Field(max_length=320)
    password: str = Field(max_length=1_024)


class LoginResponse(BaseModel):
    access_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105
    expires_in: int = Field(description="seconds")


class User(BaseModel):
    user_id: str
    email: str
    role: Role
