"""Makes the key and certificate that CAP messages are signed with; an old certificate is kept for what it signed."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

KEY = "cap-signing.pem"
CERTIFICATE = "cap-signing.crt"
YEARS = 2  # the longest that aggregators accept without renewal (Google Public Alerts, key renewal)


@dataclass(frozen=True, slots=True)
class MadeKey:
    """A new certificate: `fingerprint` is SHA-256 in hexadecimal."""

    fingerprint: str
    until: datetime
    older: int


def make_cap_key(keys_dir: Path, name: str, now: datetime) -> MadeKey:
    """Replace the signing key by a new ECDSA P-256 one under a self-signed certificate for `name`.

    The certificate before it stays beside it under its fingerprint, so that it goes on being published.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])
    until = now + timedelta(days=365 * YEARS)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(until)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    _keep_old(keys_dir)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    # Certificate last: between the two writes the pair does not fit, and nothing can be signed with half of it.
    _write(keys_dir / KEY, private, 0o600)
    _write(keys_dir / CERTIFICATE, certificate.public_bytes(Encoding.PEM), 0o644)
    older = sum(path.name != CERTIFICATE for path in keys_dir.glob("cap-signing*.crt"))
    return MadeKey(certificate.fingerprint(SHA256()).hex(), until, older)


def ends_at(keys_dir: Path) -> datetime | None:
    """When the certificate in use ends; None where there is none or it cannot be read."""
    try:
        return x509.load_pem_x509_certificate((keys_dir / CERTIFICATE).read_bytes()).not_valid_after_utc
    except (OSError, ValueError):
        return None


def _keep_old(keys_dir: Path) -> None:
    current = keys_dir / CERTIFICATE
    if current.is_file():
        old = x509.load_pem_x509_certificate(current.read_bytes())
        _write(keys_dir / f"cap-signing-{old.fingerprint(SHA256()).hex()[:16]}.crt", current.read_bytes(), 0o644)


def _write(path: Path, body: bytes, mode: int) -> None:
    beside = path.with_name(path.name + ".new")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
        file.write(body)
    beside.replace(path)
