"""Login, logout, and who one is."""

from fastapi import APIRouter, Depends, Request, Response

from services.common.auth import SESSION_COOKIE
from services.gateway import audit
from services.gateway.auth import LoginLimiter, authenticate, issue_token, normalise_email
from services.gateway.dependencies import CurrentUser, Opened, require_same_origin
from services.gateway.errors import WrongCredentialsError
from services.gateway.models import LoginRequest, LoginResponse, User

router = APIRouter(prefix="/auth", tags=["auth"])

UNKNOWN_ADDRESS = "unknown"


@router.post("/login", dependencies=[Depends(require_same_origin)])
async def login(credentials: LoginRequest, request: Request, response: Response, opened: Opened) -> LoginResponse:
    settings = opened.settings
    email = normalise_email(credentials.email)
    address = request.client.host if request.client else UNKNOWN_ADDRESS
    limiter = LoginLimiter(opened.redis)
    await limiter.admit(email, address)
    try:
        user = await authenticate(opened.db, email, credentials.password)
    except WrongCredentialsError:
        await audit.record(opened.db, email, "login_refused", address=address)
        raise
    await limiter.forget(email, address)
    await audit.record(opened.db, user.email, "login", address=address)
    token = issue_token(user, opened.token_secret, settings.token_ttl_seconds)
    response.set_cookie(
        SESSION_COOKIE,
        token,
        max_age=settings.token_ttl_seconds,
        httponly=True,
        secure=settings.cookie_secure,
        samesite="lax",
    )
    return LoginResponse(access_token=token, expires_in=settings.token_ttl_seconds)


@router.post("/logout", status_code=204, dependencies=[Depends(require_same_origin)])
async def logout(response: Response, opened: Opened) -> None:
    response.delete_cookie(SESSION_COOKIE, httponly=True, secure=opened.settings.cookie_secure, samesite="lax")


@router.get("/me")
async def me(user: CurrentUser) -> User:
    return user
