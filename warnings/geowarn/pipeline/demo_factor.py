"""The second factors of demo people: their secrets are published, so that anyone can try the whole line."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime

import pyotp

from geowarn.domain.identity import SecondFactor
from geowarn.pipeline.second_factor import STEP_SECONDS
from geowarn.ports import UnitOfWork, Vault


def published_secret(name: str) -> str:
    """The secret of the demo person of this name: everyone may know it."""
    return base64.b32encode(hashlib.sha256(f"geowarn-demo-{name}".encode()).digest()[:20]).decode()


def published_code(work: UnitOfWork, vault: Vault, name: str, now: datetime) -> str:
    """The code that would be taken now, only where the person's secret is the published one; else an empty text.

    Empty too where the codes of this moment are used up: the next one comes within 30 s.
    """
    factor, secret = work.factors.get(name), published_secret(name)
    if factor is None or factor.secret is None or not factor.in_use:
        return ""
    if not hmac.compare_digest(vault.open(factor.secret), secret):
        return ""
    present, totp = int(now.timestamp()) // STEP_SECONDS, pyotp.TOTP(secret)
    # The present one first: it is good for half a minute at least, the one before it may end any second.
    free = (present + off for off in (0, 1, -1) if present + off > factor.last_step)
    return next((totp.generate_otp(step) for step in free), "")


def enrol_published(work: UnitOfWork, vault: Vault, name: str, now: datetime) -> None:
    """Give a demo person the published secret, in use at once; no time step is taken yet."""
    sealed = vault.seal(published_secret(name))
    work.factors.save(SecondFactor(name, sealed, confirmed_at=now, enrolled_at=now))
