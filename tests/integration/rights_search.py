"""The public search's rows of the table of every role against every route."""

from __future__ import annotations

OPEN: frozenset[tuple[str, str]] = frozenset({("GET", "/search"), ("GET", "/en/search")})
