"""A certificate that the simulator signs itself, made anew at every start."""

import hashlib
import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

VALID_DAYS = 7


@dataclass(frozen=True, slots=True)
class Certificate:
    """Files in PEM; a client that trusts `certificate` as an authority, or pins `fingerprint`, trusts the server."""

    certificate: Path
    key: Path

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate, in hexadecimal."""
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(self.certificate.read_text())).hexdigest()


def make_certificate(folder: Path) -> Certificate:
    """For this machine's own names. Raises `RuntimeError` where OpenSSL is not installed or fails."""
    made = Certificate(folder / "certificate.pem", folder / "key.pem")
    try:
        subprocess.run(
            (
                *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
                *("-keyout", str(made.key), "-out", str(made.certificate), "-days", str(VALID_DAYS)),
                *("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"),
            ),
            check=True,
            capture_output=True,
        )
    except (OSError, subprocess.CalledProcessError) as error:
        said = error.stderr.decode(errors="replace") if isinstance(error, subprocess.CalledProcessError) else error
        raise RuntimeError(f"OpenSSL made no certificate: {said}") from error
    return made
