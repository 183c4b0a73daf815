"""Access tokens: signed by the gateway, verified by every service that lets users in."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import jwt
from jwt.types import Options
from msgspec import Struct

from services.common import clock
from services.common.kept_secret import kept_secret

SESSION_COOKIE = "dwell_session"
ROLES = ("viewer", "operator", "analyst", "admin")
"""In rising order: each may do what those before it may."""

MIN_SECRET_CHARACTERS = 32
"""HS256 is only as strong as its key; shorter ones can be guessed offline from one token."""

_ALGORITHM = "HS256"


class InvalidTokenError(Exception):
    """The token is not ours, is malformed or has expired."""


class TokenSettings(Protocol):
    @property
    def home(self) -> Path: ...

    @property
    def token_secret(self) -> str: ...


class Claims(Struct, frozen=True, kw_only=True):
    """Who the bearer is, until when."""

    user_id: str
    email: str
    role: str
    expires_at: datetime


def load_token_secret(settings: TokenSettings) -> str:
    """The configured secret, else the one kept in ``$DWELL_HOME/token_secret``."""
    secret = settings.token_secret or kept_secret(settings.home / "token_secret")
    if len(secret) < MIN_SECRET_CHARACTERS:
        raise ValueError(f"the token secret needs at least {MIN_SECRET_CHARACTERS} characters")
    return secret


# Another process may have issued the token, and its clock be ahead: `iat` says nothing about whether it still holds.
_OPTIONS: Options = {"require": ["sub", "email", "role", "exp"], "verify_iat": False}


def encode_token(claims: Claims, secret: str) -> str:
    return jwt.encode(
        {
            "sub": claims.user_id,
            "email": claims.email,
            "role": claims.role,
            "iat": clock.now(),
            "exp": claims.expires_at,
        },
        secret,
        _ALGORITHM,
    )


def decode_token(token: str, secret: str) -> Claims:
    """Raises `InvalidTokenError` for anything but a token of ours that still holds."""
    try:
        found = jwt.decode(token, secret, [_ALGORITHM], options=_OPTIONS)
    except jwt.PyJWTError as error:
        raise InvalidTokenError(str(error)) from error
    if found["role"] not in ROLES:
        raise InvalidTokenError("unknown role")
    return Claims(
        user_id=found["sub"],
        email=found["email"],
        role=found["role"],
        expires_at=datetime.fromtimestamp(found["exp"], UTC),
    )
