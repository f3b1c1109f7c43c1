"""Another issuer for tests: his key, his table of the plan, his messages."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from tests.unit.cap_samples import SENDER, alert

from geowarn.domain.issuers import Demand, Issuer
from geowarn.domain.settings_table import SettingsTable
from geowarn.sources.cap_message import CapMessageReader
from geowarn_channels.cap_signature import CapSigner
from geowarn_channels.cap_verifier import CapVerifier

NOW = datetime(2026, 7, 22, 18, 30, tzinfo=UTC)  # half an hour after the samples were sent
READER = CapMessageReader(CapVerifier())
HTTP = {"connect_seconds": 2, "read_seconds": 2, "transfer_seconds": 5, "total_seconds": 5, "most_mebibytes": 4}


def signer(name: str = "weather", days: int = 30) -> CapSigner:
    """A key of this name with a certificate for so many days."""
    return _signer(name, days)


@cache
def _signer(name: str, days: int) -> CapSigner:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    made = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
    made = made.serial_number(7)
    made = made.not_valid_before(datetime(2000, 1, 1, tzinfo=UTC)).not_valid_after(NOW + timedelta(days=days))
    return CapSigner(key, made.sign(key, SHA256()))


def pem(name: str = "weather", days: int = 30) -> bytes:
    return signer(name, days).certificate.public_bytes(Encoding.PEM)


def issuer(**changes: Any) -> Issuer:
    """A feed of the weather service that demands no signature."""
    made = Issuer(
        name="weather",
        name_zh="省气象台",
        name_en="Provincial Observatory",
        kind="feed",
        enabled=True,
        address="http://127.0.0.1:1/feed",
        page="",
        senders=(SENDER,),
        hosts=(),
        demand=Demand.NONE,
        certificates=(),
        max_age_hours=72,
        poll_seconds=120,
        silent_minutes=30,
        quiet_hours=0,
        daily_messages=3000,
        daily_mebibytes=256,
        stylesheet=False,
        http=SettingsTable("issuers.toml", "weather.http", HTTP),
    )
    return replace(made, **changes)


def signing(demand: Demand = Demand.REQUIRED, *names: str) -> Issuer:
    """A feed whose messages these keys may sign."""
    return issuer(demand=demand, certificates=tuple(pem(name) for name in names or ("weather",)))


def older(data: bytes) -> bytes:
    """The same message as CAP 1.1."""
    return data.replace(b"cap:1.2", b"cap:1.1")


__all__ = ["HTTP", "NOW", "READER", "SENDER", "alert", "issuer", "older", "pem", "signer", "signing"]
