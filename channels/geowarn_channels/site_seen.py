"""Looks at the published files through their public address (house rule 9: sent is what the far end shows)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import requests

from geowarn.domain.canonical import sha256_hex

_TIMEOUT = 5  # seconds to connect, and between two pieces
_LONGEST = 8 * 1024 * 1024  # bytes of one answer
STATE = "current.json"


class Unseen(Exception):
    """The public address does not show what was written; the text says which file and why."""


def see(public_url: str, root: Path, paths: Iterable[str]) -> None:
    """Fetch each file and compare its SHA-256 with that on disk, then the state; raises Unseen at the first fault."""
    with requests.Session() as session:
        session.trust_env = False
        for path in paths:
            _same(session, public_url, root, path)
        _state(session, public_url, root)


def _same(session: requests.Session, public_url: str, root: Path, path: str) -> None:
    try:
        written = (root / path).read_bytes()
    except OSError:
        raise Unseen(f"{path} is not in the tree") from None
    if sha256_hex(_fetch(session, f"{public_url}/{_address(path)}", path)) != sha256_hex(written):
        raise Unseen(f"{path} differs")


def _state(session: requests.Session, public_url: str, root: Path) -> None:
    """The state changes every minute, so a newer one than that on disk before the call is as good."""
    least = json.loads((root / STATE).read_bytes())["sequence"]
    body = _fetch(session, f"{public_url}/{STATE}", STATE)
    try:
        seen = json.loads(body)["sequence"]
    except (ValueError, KeyError, TypeError):
        raise Unseen(f"{STATE} is not ours") from None
    if not isinstance(seen, int) or seen < least:
        raise Unseen(f"{STATE} is older than what was written")
    if seen == least and sha256_hex(body) != sha256_hex((root / STATE).read_bytes()):
        raise Unseen(f"{STATE} differs")


def _address(path: str) -> str:
    return path.removesuffix("index.html")


def _fetch(session: requests.Session, url: str, path: str) -> bytes:
    try:
        with session.get(url, timeout=_TIMEOUT, stream=True, allow_redirects=False) as answer:
            if answer.status_code != 200:
                raise Unseen(f"{path} answers {answer.status_code}")
            body = bytearray()
            for piece in answer.iter_content(65536):
                body += piece
                if len(body) > _LONGEST:
                    raise Unseen(f"{path} is too long")
            return bytes(body)
    except requests.RequestException as error:
        raise Unseen(f"{path} is not reachable ({type(error).__name__})") from None
