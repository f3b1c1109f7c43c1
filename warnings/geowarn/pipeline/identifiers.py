"""Names of what is stored."""

from __future__ import annotations

import secrets


def new_id(kind: str) -> str:
    """A fresh identifier: a letter for the kind and 10 random hexadecimal digits."""
    return f"{kind}-{secrets.token_hex(5)}"
