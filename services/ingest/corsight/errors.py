"""What goes wrong between a Corsight system and whoever asks it, in plain words."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx

UNTRUSTED = "CERTIFICATE_VERIFY_FAILED"
"""Within the reason of a failed connection: somebody is there, and not whom we trust."""

_FINAL = frozenset({400, 403, 404, 405, 410, 422, 501})


class CorsightError(Exception):
    """The system did not do what it was asked; `status` where it answered at all."""

    def __init__(self, reason: str, status: int | None = None) -> None:
        super().__init__(reason)
        self.status = status

    @property
    def is_final(self) -> bool:
        """The request itself is refused, and would be again."""
        return self.status in _FINAL


class MisconfiguredError(CorsightError):
    """No attempt can succeed with these settings."""


class TooLargeError(CorsightError):
    """The answer is longer than is read of one."""


@contextmanager
def in_plain_words() -> Iterator[None]:
    """What an HTTP client raises, as a `CorsightError`."""
    try:
        yield
    except httpx.RequestError as error:
        raise CorsightError(_plain(error)) from error


def _plain(error: httpx.RequestError) -> str:
    url = error.request.url
    place = f"{url.host}:{url.port}" if url.port else url.host
    reason = str(error) or type(error).__name__
    if UNTRUSTED in reason:
        why = reason.partition("certificate verify failed: ")[2].partition(" (")[0] or reason
        return f"the certificate of {place} is not trusted: {why}; trust it by DWELL_CORSIGHT_CA_FILE"
    match error:
        case httpx.ConnectTimeout():
            return f"{place} does not answer"
        case httpx.ConnectError():
            return f"cannot connect to {place}: {reason}"
        case httpx.TimeoutException():
            return f"{place} fell silent"
        case _:
            return f"the connection to {place} broke off: {reason}"
