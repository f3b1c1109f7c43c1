"""Looks at the published files through their public address (house rule 9: sent is what the far end shows).

`see` looks at the files of one bulletin, `TreeLook` at the whole tree: what shows the state and what is new at once,
everything else in turn.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from pathlib import Path

import requests

from geowarn.domain.canonical import sha256_hex
from geowarn_channels.tree_record import entries_of

_TIMEOUT = 5  # seconds to connect, and between two pieces
_LONGEST = 8 * 1024 * 1024  # bytes of one answer
STATE = "current.json"
_STANDING = ("index.html", "en/index.html", "current.geojson", "feeds/warnings.atom", "feeds/cap.atom", STATE)
_IN_TURN = 100  # files of one look beside those: a tree of 6,000 pages is read once an hour
_NEW = 300  # files of one look that were written since the last
_ENOUGH = 5  # faults of one look; a server that is down is not asked for everything


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


class TreeLook:
    """Looks at a whole tree, a part at a time; keeps in mind where it was and what was wrong."""

    def __init__(self) -> None:
        self._last = ""
        self._known: Mapping[str, object] = {}
        self._wrong: tuple[str, ...] = ()

    def wrong(self, public_url: str, root: Path) -> tuple[str, ...]:
        """The files that the public address shows otherwise than they stand in the tree, with the reason."""
        if not (root / STATE).is_file():
            return ()
        found: dict[str, str] = {}
        with requests.Session() as session:
            session.trust_env = False
            for path in self._due(entries_of(root)):
                try:
                    _as_written(session, public_url, root, path)
                except Unseen as unseen:
                    found[path] = str(unseen)
                if len(found) >= _ENOUGH:
                    break
        self._wrong = tuple(found)
        return tuple(found.values())

    def _due(self, entries: Mapping[str, object]) -> tuple[str, ...]:
        """What is looked at now: what was wrong, what shows the state, what is new, and the next in turn."""
        new = [path for path, entry in entries.items() if self._known and self._known.get(path) != entry]
        self._known = dict(entries)
        ordered = sorted(entries)
        at = bisect_right(ordered, self._last)
        turn = (ordered[at:] + ordered[:at])[:_IN_TURN]
        self._last = turn[-1] if turn else ""
        return tuple(dict.fromkeys((*self._wrong, *_STANDING, *new[:_NEW], *turn)))


def _as_written(session: requests.Session, public_url: str, root: Path, path: str) -> None:
    """The file as it stood before or stands after the question: the tree may change meanwhile; raises Unseen."""
    before = _written(root, path)
    if before is None:
        return  # a page of something that is gone
    body = _fetch(session, f"{public_url}/{_address(path)}", path)
    if body not in (before, _written(root, path)):
        raise Unseen(f"{path} differs")


def _written(root: Path, path: str) -> bytes | None:
    try:
        return (root / path).read_bytes()
    except OSError:
        return None


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
