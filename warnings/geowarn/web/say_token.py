"""The signed stamp in the public form: made by us, not too long ago, and not a moment ago."""

from __future__ import annotations

import hmac
import secrets
from datetime import datetime, timedelta

from geowarn.domain.errors import Refused
from geowarn.ports import Vault

SOONEST = timedelta(seconds=3)  # nobody reads and fills the form in less


def new_token(vault: Vault, now: datetime) -> str:
    """A stamp for a form that is opened now."""
    told = f"{int(now.timestamp())}.{secrets.token_urlsafe(12)}"
    return f"{told}.{_signature(vault, told)}"


def read_token(vault: Vault, token: str, now: datetime, lasts: timedelta) -> str:
    """The form's own nonce; raises Refused for a stamp that is not ours, too old, or too young."""
    told, _, signature = token.rpartition(".")
    moment, _, nonce = told.partition(".")
    right = hmac.compare_digest(signature.encode(), _signature(vault, told).encode())
    if not right or not moment.isdigit() or not nonce:
        raise Refused("say.stale")
    age = now - datetime.fromtimestamp(int(moment), now.tzinfo)
    if age > lasts or age < timedelta(seconds=-1):
        raise Refused("say.stale")
    if age < SOONEST:
        raise Refused("say.quick")
    return nonce


def _signature(vault: Vault, told: str) -> str:
    return vault.key_of(f"say-form\n{told}")[:40]
