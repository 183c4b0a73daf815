"""Whom to believe that they are the Corsight system."""

import hashlib
import ssl

import httpx

from services.ingest.corsight.errors import CorsightError, MisconfiguredError
from services.ingest.corsight.settings import CorsightSettings

HTTPS_PORT = 443


def tls_context(settings: CorsightSettings, url: httpx.URL | None) -> ssl.SSLContext:
    """Asks the server at `url` for its certificate where one is pinned, so it may block. Raises `CorsightError`."""
    if settings.corsight_tls_fingerprint and url:
        return _pinned(url, settings.corsight_tls_fingerprint, settings.corsight_connect_seconds)
    try:
        context = trusting(settings.corsight_ca_file)
    except OSError as error:
        raise MisconfiguredError(f"DWELL_CORSIGHT_CA_FILE {settings.corsight_ca_file}: {error}") from error
    if not is_verified(settings):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def is_verified(settings: CorsightSettings) -> bool:
    """A pin is no opt-out: nobody but its owner is believed."""
    return settings.corsight_tls_verify or bool(settings.corsight_tls_fingerprint)


def trusting(ca_file: str) -> ssl.SSLContext:
    """The authorities in the file, or the system's where none is named. Raises `OSError`."""
    context = ssl.create_default_context(cafile=ca_file or None)
    if ca_file:
        # The server's own certificate, or the intermediate one that signed it, is authority enough.
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def _pinned(url: httpx.URL, fingerprint: str, timeout: float) -> ssl.SSLContext:
    """Trusts the one certificate and no authority, whatever name it is made out to."""
    place = (url.host, url.port or HTTPS_PORT)
    try:
        pem = ssl.get_server_certificate(place, timeout=timeout)
    except OSError as error:
        raise CorsightError(f"cannot connect to {url.host}:{place[1]}: {error}") from error
    found = hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()
    if found != fingerprint.replace(":", "").strip().lower():
        raise CorsightError(f"the certificate of {url.host} has the SHA-256 fingerprint {found}, not the pinned one")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.load_verify_locations(cadata=pem)
    return context
