"""What people wrote and showed, as it is kept: encrypted, with a salt that goes with it."""

from __future__ import annotations

import json
from base64 import b64decode

from geowarn.domain.canonical import canonical_json, sha256_hex
from geowarn.domain.errors import NotFound
from geowarn.domain.voice import Photo, Said, Voice
from geowarn.ports import UnitOfWork, Vault

_PNG = b"\x89PNG"


def said_in(vault: Vault, voice: Voice) -> Said:
    """What was written; empty once erased."""
    return Said(**json.loads(vault.open(voice.said_sealed))) if voice.said_sealed else Said("")


def seal_photo(vault: Vault, voice_id: str, body: bytes) -> Photo:
    """A PNG as it is kept."""
    return Photo(voice_id, "image/png", sha256_hex(body), vault.seal_bytes(body))


def photo_of(vault: Vault, work: UnitOfWork, voice: Voice) -> bytes:
    """Its photo as PNG; raises NotFound where there is none."""
    found = work.voices.photo(voice.id)
    if found is None:
        raise NotFound("voices.no-photo", number=voice.number)
    body = vault.open_bytes(found.sealed)
    return body if body.startswith(_PNG) else b64decode(body)  # as text, as photos were kept at first


def salted_digest(said: Said, *parts: str) -> str:
    """What the ledger has of something that may be deleted: SHA-256 with the salt that is deleted with the words."""
    return sha256_hex(canonical_json([said.salt, *parts]))
