"""Who may come in: passwords, the limit on guessing them, and the access tokens that a login gives."""

import asyncio
import hashlib
import uuid
from datetime import timedelta

import asyncpg
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from redis.asyncio import Redis
from redis.exceptions import RedisError

from services.common import clock
from services.common.auth import Claims, encode_token
from services.common.logging import get_logger
from services.gateway.errors import TooManyAttemptsError, WrongCredentialsError
from services.gateway.models import User

log = get_logger(__name__)

MAX_ATTEMPTS = 30
ATTEMPT_WINDOW_SECONDS = 300

# A hash costs 64 MiB and a core for some 50 ms: more at once would let logins starve everything else.
_HASHES_AT_ONCE = 2

_REDIS_SECONDS = 0.5
"""How long a login waits for Redis to count."""

_passwords = PasswordHash((Argon2Hasher(),))
_NOBODY = _passwords.hash(uuid.uuid4().hex)
_hashing = asyncio.Semaphore(_HASHES_AT_ONCE)


async def hash_password(password: str) -> str:
    async with _hashing:
        return await asyncio.to_thread(_passwords.hash, password)


async def verify_password(password: str, password_hash: str) -> bool:
    async with _hashing:
        return await asyncio.to_thread(_passwords.verify, password, password_hash)


class LoginLimiter:
    """Counts attempts per email and address in Redis; without Redis nobody is kept out."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def admit(self, email: str, address: str) -> None:
        """Raises `TooManyAttemptsError` from the attempt after the last one that is free."""
        key = _attempts_key(email, address)
        try:
            async with asyncio.timeout(_REDIS_SECONDS), self._redis.pipeline() as commands:
                commands.incr(key)
                commands.expire(key, ATTEMPT_WINDOW_SECONDS, nx=True)
                commands.ttl(key)
                attempts, _, wait_seconds = await commands.execute()
        except (RedisError, OSError, TimeoutError) as error:
            log.warning("login attempts are not limited: redis is away", error=f"{type(error).__name__}: {error}")
            return
        if attempts > MAX_ATTEMPTS:
            raise TooManyAttemptsError(
                f"Try again in {wait_seconds} seconds.", headers={"Retry-After": str(max(1, wait_seconds))}
            )

    async def forget(self, email: str, address: str) -> None:
        try:
            async with asyncio.timeout(_REDIS_SECONDS):
                await self._redis.delete(_attempts_key(email, address))
        except (RedisError, OSError, TimeoutError):
            log.debug("login attempts are not forgotten: redis is away")


def _attempts_key(email: str, address: str) -> str:
    digest = hashlib.sha256(f"{email}\0{address}".encode()).hexdigest()
    return f"dwell:login:{digest}"


def normalise_email(email: str) -> str:
    return email.strip().lower()


async def authenticate(db: asyncpg.Pool, email: str, password: str) -> User:
    """The user of these credentials; an unknown email costs the same work and gives the same error."""
    row = await db.fetchrow("SELECT user_id, email, role, password_hash FROM users WHERE email = $1", email)
    valid = await verify_password(password, row["password_hash"] if row else _NOBODY)
    if row is None or not valid:
        raise WrongCredentialsError
    return User(user_id=str(row["user_id"]), email=row["email"], role=row["role"])


def issue_token(user: User, secret: str, ttl_seconds: int) -> str:
    expires_at = clock.now() + timedelta(seconds=ttl_seconds)
    return encode_token(Claims(user_id=user.user_id, email=user.email, role=user.role, expires_at=expires_at), secret)


async def ensure_admin(db: asyncpg.Pool, email: str, password: str) -> None:
    """Create the first admin; a user with this email stays as he is."""
    email = normalise_email(email)
    if not email or not password:
        if not await db.fetchval("SELECT EXISTS (SELECT FROM users)"):
            log.warning("nobody can log in: set DWELL_ADMIN_EMAIL and DWELL_ADMIN_PASSWORD and start again")
        return
    if await db.fetchval("SELECT EXISTS (SELECT FROM users WHERE email = $1)", email):
        return
    created = await db.fetchval(
        "INSERT INTO users (user_id, email, password_hash, role) VALUES ($1, $2, $3, 'admin')"
        " ON CONFLICT (email) DO NOTHING RETURNING email",
        uuid.uuid4(),
        email,
        await hash_password(password),
    )
    if created:
        log.info("first admin created", email=email)
