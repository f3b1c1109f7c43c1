"""The archive of a disclosure pack: each file written as it comes, so that a pack may be larger than memory."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

_STAMP = (2000, 1, 1, 0, 0, 0)  # one fixed time in the archive: equal content gives equal bytes
_PIECE = 1 << 20  # bytes of a file that are in memory at once


class PackFile:
    """A zip archive that knows the digests of what was put into it; closed by leaving the `with` block."""

    def __init__(self, out: IO[bytes]) -> None:
        self.digests: dict[str, str] = {}
        self._archive = zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED)

    def __enter__(self) -> PackFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._archive.close()

    def put(self, path: str, pieces: Iterable[bytes]) -> None:
        """Write one file from its pieces, one after the other; what is there already stays as it is."""
        if path in self.digests:
            return
        entry = zipfile.ZipInfo(path, _STAMP)
        entry.compress_type = zipfile.ZIP_DEFLATED
        digest = hashlib.sha256()
        with self._archive.open(entry, "w", force_zip64=True) as writing:
            for piece in pieces:
                digest.update(piece)
                writing.write(piece)
        self.digests[path] = digest.hexdigest()


def pieces_of(path: Path) -> Iterator[bytes]:
    """The bytes of a file, piece by piece."""
    with path.open("rb") as reading:
        while piece := reading.read(_PIECE):
            yield piece
