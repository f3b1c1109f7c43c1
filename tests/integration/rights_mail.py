"""Subscriptions by mail: open to everyone; what a link or a token opens, it opens for one address only."""

from __future__ import annotations

OPEN: frozenset[tuple[str, str]] = frozenset(
    (method, f"{start}/subscribe{page}")
    for start in ("", "/en")
    for page in ("", "-confirm", "-choices", "-change", "-end")
    for method in ("GET", "POST")
)
