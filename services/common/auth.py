"""Access tokens: signed by the gateway, verified by every service that lets users in."""

import os
import secrets
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import jwt
from msgspec import Struct

from services.common import clock

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
    """The configured secret, else the one kept in ``$DWELL_HOME/token_secret``, made on first use."""
    if settings.token_secret:
        return _strong(settings.token_secret)
    path = settings.home / "token_secret"
    if not path.exists():
        _create(path)
    return _strong(path.read_text().strip())


def _create(path: Path) -> None:
    """Several processes may start at once: a link appears whole and only once, so all read the same secret."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=".token_secret") as draft:
        draft.write(secrets.token_urlsafe(48))
        draft.flush()
        os.fsync(draft.fileno())
        try:
            os.link(draft.name, path)
        except FileExistsError:
            return


def _strong(secret: str) -> str:
    if len(secret) < MIN_SECRET_CHARACTERS:
        raise ValueError(f"the token secret needs at least {MIN_SECRET_CHARACTERS} characters")
    return secret


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
        found = jwt.decode(token, secret, [_ALGORITHM], options={"require": ["sub", "email", "role", "exp"]})
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
