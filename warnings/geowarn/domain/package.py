"""The rendered package: what a sign-off binds to, and how late fields are filled in at release.

Number, identifiers and `sent` exist only at release (house rule 2). Rendering writes a marker
`[[late:<name>]]` in their place; the signature covers everything else; the releasing transaction replaces each
marker by its value. Anyone can repeat that replacement and compare digests.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from geowarn.domain.canonical import canonical_json, sha256_hex
from geowarn.domain.errors import Refused

MARKER = re.compile(r"\[\[late:([a-z0-9._-]+)\]\]")
FORMAT = "geowarn-package/1"

# The late fields of the message itself, and (for a prepared retraction) of the message it withdraws.
OWN_LATE = ("number", "slug", "sent", "sent.blank", "sent.digits", "date.zh", "date.en")
ORIGINAL_LATE = tuple(f"original.{name}" for name in OWN_LATE)


def marker(name: str) -> str:
    """The text that stands for a late field until release."""
    return f"[[late:{name}]]"


@dataclass(frozen=True, slots=True)
class Artefact:
    """One file of a package: `path` is relative and names channel, level and language."""

    path: str
    media_type: str
    body: bytes

    @property
    def sha256(self) -> str:
        """Digest of the body."""
        return sha256_hex(self.body)


def late_fields(artefacts: Iterable[Artefact]) -> tuple[str, ...]:
    """The names of all late fields the artefacts hold, sorted; raises Refused for one not on the lists."""
    found = {name for artefact in artefacts for name in MARKER.findall(artefact.body.decode("utf-8", "ignore"))}
    unknown = found.difference(OWN_LATE, ORIGINAL_LATE)
    if unknown:
        raise Refused("package.unknown-late-field", fields=", ".join(sorted(unknown)))
    return tuple(sorted(found))


def manifest(content: Mapping[str, Any], artefacts: Iterable[Artefact], retraction: str | None) -> dict[str, Any]:
    """What is signed: the content, every artefact by digest, the late fields, and the prepared retraction's digest."""
    files = sorted(artefacts, key=lambda artefact: artefact.path)
    if len({artefact.path for artefact in files}) != len(files):
        raise Refused("package.duplicate-path", paths=", ".join(artefact.path for artefact in files))
    return {
        "format": FORMAT,
        "content": dict(content),
        "late_fields": list(late_fields(files)),
        "artefacts": [
            {"path": a.path, "media_type": a.media_type, "size": len(a.body), "sha256": a.sha256} for a in files
        ],
        "retraction": retraction,
    }


def manifest_digest(value: Mapping[str, Any]) -> str:
    """The package's SHA-256: over the canonical JSON of its manifest."""
    return sha256_hex(canonical_json(value))


@dataclass(frozen=True, slots=True)
class Package:
    """A rendered package with its markers still in place, and the retraction that belongs to it."""

    content: Mapping[str, Any]
    artefacts: tuple[Artefact, ...]
    retraction: Package | None = None

    @property
    def manifest(self) -> dict[str, Any]:
        """See `manifest`."""
        return manifest(self.content, self.artefacts, self.retraction.sha256 if self.retraction else None)

    @property
    def sha256(self) -> str:
        """The digest a sign-off names."""
        return manifest_digest(self.manifest)


def fill(body: bytes, values: Mapping[str, str]) -> bytes:
    """Replace each marker that has a value; markers without one stay (a retraction is filled in two steps)."""

    def value_of(match: re.Match[bytes]) -> bytes:
        value = values.get(match.group(1).decode())
        return match.group(0) if value is None else value.encode()

    return re.sub(rb"\[\[late:([a-z0-9._-]+)\]\]", value_of, body)


def filled(artefacts: Iterable[Artefact], values: Mapping[str, str]) -> tuple[Artefact, ...]:
    """Every artefact with its late fields filled in."""
    return tuple(Artefact(a.path, a.media_type, fill(a.body, values)) for a in artefacts)


# The enveloped signature that sealing adds to a CAP message: the last child of the root, in one piece.
_SEAL = re.compile(rb"<ds:Signature\b(?:(?!<ds:Signature\b).)*</ds:Signature>(?=</alert>\s*\Z)", re.DOTALL)


def unsealed(body: bytes) -> bytes:
    """The bytes without the signature that sealing added to them; bytes that were never sealed stay as they are."""
    return _SEAL.sub(b"", body)


def refuse_markers(text: str, where: str) -> None:
    """Raise Refused when a person's text holds something that looks like a late field."""
    if MARKER.search(text):
        raise Refused("package.marker-in-text", where=where)
