"""Serves the static public tree as any static server would, and says 503 where there is none: never an empty 200."""

from __future__ import annotations

import gzip
import os
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from pathlib import Path
from threading import Lock

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from geowarn.domain.canonical import sha256_hex
from geowarn.web.guard import CONTENT_SECURITY_POLICY

MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".rss": "application/rss+xml; charset=utf-8",
    ".atom": "application/atom+xml; charset=utf-8",
    ".xml": "application/xml; charset=utf-8",
    ".json": "application/json; charset=utf-8",
    ".geojson": "application/geo+json; charset=utf-8",
    ".svg": "image/svg+xml; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".csv": "text/csv; charset=utf-8",
    ".pem": "application/x-pem-file",
    ".pub": "application/x-pem-file",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
    ".pdf": "application/pdf",
    ".zip": "application/zip",
    "": "application/json; charset=utf-8",  # /ledger/checkpoint
}
# A page of the tree may run the one script that lies beside it in the tree.
TREE_POLICY = f"{CONTENT_SECURITY_POLICY}; script-src 'self'"
_COMPRESSED = (".html", ".rss", ".atom", ".xml", ".json", ".geojson", ".svg", ".css", ".js", ".txt", ".csv", "")
_SMALL = 1024  # bytes; smaller answers are not worth compressing
# What machines read state from: where such a file is missing the tree is broken, and silence is not "no warning".
_STATE = ("feeds/", "current.json", "current.geojson")
_LONGEST_PATH = 240  # bytes; what every file system can name
_KEPT = 512  # files whose bytes stay in memory


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One file as it was read: bytes, digest and time belong together."""

    stamp: tuple[int, int, int]
    body: bytes
    packed: bytes | None
    digest: str
    modified: datetime


def stamp_of(info: os.stat_result) -> tuple[int, int, int]:
    """What changes when a file is replaced."""
    return info.st_ino, info.st_mtime_ns, info.st_size


class Shelf:
    """The files last read, kept while name, time and size on disk stay the same."""

    def __init__(self) -> None:
        self._files: OrderedDict[Path, StoredFile] = OrderedDict()
        self._lock = Lock()

    def held(self, path: Path) -> StoredFile | None:
        """The file as it was last read, if it was; whether it is still the same is for the caller to see."""
        return self._files.get(path)

    def get(self, path: Path) -> StoredFile:
        """The file's bytes with digest; raises OSError where there is none."""
        with path.open("rb") as handle:
            info = os.fstat(handle.fileno())
            stamp = stamp_of(info)
            with self._lock:
                held = self._files.get(path)
            if held is not None and held.stamp == stamp:
                return held
            body = handle.read()
        packed = gzip.compress(body, 6, mtime=0) if path.suffix in _COMPRESSED and len(body) > _SMALL else None
        modified = datetime.fromtimestamp(int(info.st_mtime), UTC)
        found = StoredFile(stamp, body, packed, sha256_hex(body)[:32], modified)
        with self._lock:
            self._files[path] = found
            self._files.move_to_end(path)
            while len(self._files) > _KEPT:
                self._files.popitem(last=False)
        return found


def resolve(root: Path, wanted: str) -> Path | None:
    """The path below `root`, or None for one that would leave it or names something hidden."""
    parts = wanted.split("/")
    if len(wanted.encode("utf-8", "replace")) > _LONGEST_PATH:
        return None
    if any(part == "" or part.startswith(".") or "\\" in part or "\0" in part for part in parts):
        return None
    path = root.joinpath(*parts)
    return path if path.resolve().is_relative_to(root.resolve()) else None


def _cache_control(wanted: str) -> str:
    if wanted.startswith("cap/"):
        return "public, max-age=86400, immutable"  # a released message never changes
    if wanted.startswith("static/"):
        return "public, max-age=3600"
    return "public, max-age=30, must-revalidate"


def _media_type(wanted: str, path: Path) -> str:
    if wanted.startswith("cap/") and path.suffix == ".xml":
        return "application/cap+xml; charset=utf-8"
    return MEDIA_TYPES.get(path.suffix, "application/octet-stream")


def unchanged(request: Request, etag: str, modified: datetime) -> bool:
    """Whether the client already holds these bytes (RFC 9110 13.1: If-None-Match wins, compared weakly)."""
    tags = request.headers.get("if-none-match")
    if tags is not None:
        return "*" in tags or etag in [tag.strip().removeprefix("W/") for tag in tags.split(",")]
    try:
        since = parsedate_to_datetime(request.headers.get("if-modified-since", ""))
    except ValueError:
        return False
    return since.tzinfo is not None and modified <= since


def _accepts_gzip(request: Request) -> bool:
    accepted = [part.replace(" ", "") for part in request.headers.get("accept-encoding", "").lower().split(",")]
    return any(part.split(";")[0] == "gzip" and not part.endswith(";q=0") for part in accepted)


def send_stored(request: Request, found: StoredFile, media_type: str, cache_control: str) -> Response:
    """The file with its validators, 304 where the client has it, head only for HEAD."""
    packed = found.packed if _accepts_gzip(request) else None
    etag = f'"{found.digest}{"-gz" if packed is not None else ""}"'
    headers = {
        "ETag": etag,
        "Last-Modified": format_datetime(found.modified, usegmt=True),
        "Cache-Control": cache_control,
        "Vary": "Accept-Encoding",
    }
    if unchanged(request, etag, found.modified):
        return Response(status_code=304, headers=headers)
    body = found.body if packed is None else packed
    headers["Content-Type"] = media_type
    headers["Content-Length"] = str(len(body))
    if packed is not None:
        headers["Content-Encoding"] = "gzip"
    return Response(b"" if request.method == "HEAD" else body, headers=headers)


class PublicTree:
    """The tree below `root`; `refused` draws the page for 404 and 503."""

    def __init__(self, root: Path, base: str = "") -> None:
        self.root, self._base = root, base
        self.shelf = Shelf()

    def complete(self) -> bool:
        """Whether a whole tree was ever published: the index is written last."""
        return (self.root / "index.html").is_file() and (self.root / "current.json").is_file()

    def place(self, wanted: str) -> Path | None:
        """Where the file of an address lies, if it is one of the tree's."""
        folder = wanted == "" or wanted.endswith("/")
        return resolve(self.root, f"{wanted}index.html" if folder else wanted)

    def answer(self, request: Request, wanted: str) -> Response | int:
        """The file at `wanted`, or the status (404, 503) of why there is none."""
        if not self.complete():
            return 503
        path = self.place(wanted)
        if path is None:
            return 404
        if path.is_dir():
            return RedirectResponse(f"{self._base}/{wanted}/", 308)
        try:
            found = self.shelf.get(path)
        except OSError:
            return 503 if wanted.startswith(_STATE) else 404
        return self.dressed(request, wanted, path, found)

    def dressed(self, request: Request, wanted: str, path: Path, found: StoredFile) -> Response:
        """The answer that sends a file that was read."""
        response = send_stored(request, found, _media_type(wanted, path), _cache_control(wanted))
        if path.suffix == ".html":
            response.headers["Content-Security-Policy"] = TREE_POLICY
        if wanted.startswith((*_STATE, "cap/")):
            response.headers["Access-Control-Allow-Origin"] = "*"
        return response
