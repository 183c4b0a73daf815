"""What a request handler can ask for, named as nouns."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit

import asyncpg
from fastapi import Depends, Request, Security
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer
from redis.asyncio import Redis

from services.common.auth import ROLES, SESSION_COOKIE, InvalidTokenError, decode_token
from services.common.kafka.lag import LagProbe
from services.common.kafka.producer import EventProducer
from services.gateway.errors import ForbiddenError, NotAuthenticatedError, UnavailableError
from services.gateway.models import Role, User
from services.gateway.rules import RuleBook
from services.gateway.settings import GatewaySettings
from services.gateway.uploads.following import Announcer, Listener
from services.gateway.uploads.queue import QueueFeeder
from services.gateway.uploads.resumable import ResumableUploads
from services.gateway.uploads.settling import Settler
from services.gateway.uploads.store import RawStore

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Resources:
    """What was opened at start; lives as long as the process."""

    settings: GatewaySettings
    token_secret: str
    db: asyncpg.Pool
    store: RawStore
    resumable: ResumableUploads
    producer: EventProducer
    redis: Redis
    feeder: QueueFeeder
    settler: Settler
    announcer: Announcer
    listener: Listener
    rules: RuleBook
    sink_lag: LagProbe
    exports: asyncio.Semaphore
    inline_uploads: asyncio.Semaphore


def resources(request: Request) -> Resources:
    found: Resources | None = getattr(request.app.state, "resources", None)
    if found is None:
        raise UnavailableError("The servers behind the gateway are not there yet.")
    return found


Opened = Annotated[Resources, Depends(resources)]


def _settings(opened: Opened) -> GatewaySettings:
    return opened.settings


def _database(opened: Opened) -> asyncpg.Pool:
    return opened.db


def _rules(opened: Opened) -> RuleBook:
    return opened.rules


Settings = Annotated[GatewaySettings, Depends(_settings)]
Database = Annotated[asyncpg.Pool, Depends(_database)]
Rules = Annotated[RuleBook, Depends(_rules)]


def require_same_origin(request: Request, settings: Settings) -> None:
    """A page of another site may make a browser send its cookie, but cannot hide where it comes from.

    `Sec-Fetch-Site` is the browser's own word and holds behind proxies too; without it `Origin` must match `Host`.
    """
    origin = request.headers.get("origin")
    if request.method in SAFE_METHODS or origin is None or origin in settings.allowed_origins:
        return
    site = request.headers.get("sec-fetch-site")
    is_own = urlsplit(origin).netloc.lower() == request.headers.get("host", "").lower()
    if site != "same-origin" and (site is not None or not is_own):
        raise ForbiddenError("The request comes from another site.")


_bearer = HTTPBearer(auto_error=False, description="the `access_token` of a login")
_cookie = APIKeyCookie(name=SESSION_COOKIE, auto_error=False, description="set by a login")


async def _current_user(
    request: Request,
    opened: Opened,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
    cookie: Annotated[str | None, Security(_cookie)],
) -> User:
    token = bearer.credentials if bearer else cookie
    if not token:
        raise NotAuthenticatedError
    try:
        claims = decode_token(token, opened.token_secret)
    except InvalidTokenError:
        raise NotAuthenticatedError("The token is not valid or has expired.") from None
    if bearer is None:
        require_same_origin(request, opened.settings)
    # Asked each time, so that a removed user and a changed role count at once.
    row = await opened.db.fetchrow("SELECT user_id, email, role FROM users WHERE user_id = $1", claims.user_id)
    if row is None:
        raise NotAuthenticatedError("This user does not exist any more.")
    return User(user_id=str(row["user_id"]), email=row["email"], role=row["role"])


CurrentUser = Annotated[User, Depends(_current_user)]


def _at_least(role: Role) -> Callable[[User], Awaitable[User]]:
    async def require_role(user: CurrentUser) -> User:
        if ROLES.index(user.role) < ROLES.index(role):
            raise ForbiddenError(f"This needs the role {role}; you are {user.role}.")
        return user

    return require_role


Viewer = Annotated[User, Depends(_at_least("viewer"))]
Operator = Annotated[User, Depends(_at_least("operator"))]
Analyst = Annotated[User, Depends(_at_least("analyst"))]
Admin = Annotated[User, Depends(_at_least("admin"))]
