"""Where the services of a Corsight system answer, and where they mean to send a client on."""

from enum import StrEnum

import httpx

from services.ingest.corsight.errors import CorsightError, MisconfiguredError
from services.ingest.corsight.settings import CorsightSettings


class Service(StrEnum):
    USERS = "users"
    EVENTS = "events"
    HISTORY = "history"


_PATHS = {Service.USERS: "/auth/login/", Service.EVENTS: "/events", Service.HISTORY: "/history/"}
_PORTS = {Service.USERS: 5004, Service.EVENTS: 5005, Service.HISTORY: 5003}


def address_of(settings: CorsightSettings, service: Service) -> httpx.URL:
    """Raises `MisconfiguredError` where the settings name no address."""
    named = {
        Service.USERS: settings.corsight_users_url,
        Service.EVENTS: settings.corsight_events_url,
        Service.HISTORY: settings.corsight_history_url,
    }[service]
    base = _parsed(named or settings.corsight_url)
    path = base.path.rstrip("/")
    if named:
        return base.copy_with(path=path + _PATHS[service])
    if settings.corsight_layout == "gateway":
        slash = "/" if service is Service.EVENTS else ""
        return base.copy_with(path=f"{path}/{service}_service{_PATHS[service]}{slash}")
    # A port of one's own choosing is no service's usual one: then all of them are behind it.
    port = base.port if base.port and base.port not in _PORTS.values() else _PORTS[service]
    return base.copy_with(port=port, path=path + _PATHS[service])


def _parsed(address: str) -> httpx.URL:
    if not address:
        raise MisconfiguredError("DWELL_CORSIGHT_URL is empty: it is the address of the Corsight system")
    try:
        url = httpx.URL(address if "://" in address else f"https://{address}")
    except httpx.InvalidURL as error:
        raise MisconfiguredError(f"DWELL_CORSIGHT_URL: {address} is no address: {error}") from error
    if url.scheme not in ("http", "https") or not url.host:
        raise MisconfiguredError(f"DWELL_CORSIGHT_URL: {address} is no http or https address")
    return url


def sent_on(asked: httpx.URL, location: str) -> list[httpx.URL]:
    """Where to go on after a redirect from `asked`, the likeliest place first. Raises `CorsightError`.

    Behind a gateway the vendor's services do not know by which name they are reached, and often name the loopback
    address: the host that answered is tried first, on the port they name, then what they name, then the port that
    answered. What was asked for in secret is never sent on in the open.
    """
    try:
        named = asked.join(location)
    except httpx.InvalidURL as error:
        raise CorsightError(f"sent on to {location}, which is no address") from error
    if asked.scheme == "https":
        named = named.copy_with(scheme="https")
    if asked.query and not named.query:
        named = named.copy_with(query=asked.query)
    here = named.copy_with(host=asked.host)
    return list(dict.fromkeys([here, named, here.copy_with(scheme=asked.scheme, port=asked.port)]))
