"""The hash chain: each entry carries the digest of the one before."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from geowarn.domain.canonical import canonical_json, sha256_hex

GENESIS = "0" * 64


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One step of the line; `payload` is canonical JSON without personal data, `at` an ISO 8601 UTC text."""

    sequence: int
    at: str
    actor: str
    kind: str
    subject: str
    payload: str
    payload_digest: str
    previous: str
    digest: str


def entry_digest(
    sequence: int, at: str, actor: str, kind: str, subject: str, payload_digest: str, previous: str
) -> str:
    """The digest that chains an entry: SHA-256 over the canonical JSON list of its other columns."""
    return sha256_hex(canonical_json([sequence, at, actor, kind, subject, payload_digest, previous]))


def chain(previous: LedgerEntry | None, at: datetime, actor: str, kind: str, subject: str, payload: Any) -> LedgerEntry:
    """The next entry after `previous` (None: the first)."""
    sequence = previous.sequence + 1 if previous else 1
    before = previous.digest if previous else GENESIS
    text = canonical_json(payload)
    payload_digest = sha256_hex(text)
    moment = at.isoformat(timespec="microseconds")
    digest = entry_digest(sequence, moment, actor, kind, subject, payload_digest, before)
    return LedgerEntry(sequence, moment, actor, kind, subject, text, payload_digest, before, digest)


@dataclass(frozen=True, slots=True)
class Fault:
    """The first entry that does not hold, and in which respect."""

    sequence: int
    what: str  # "sequence", "payload", "previous" or "digest"


def first_fault(entries: Iterable[LedgerEntry]) -> Fault | None:
    """Walk the chain from its first entry and return the first fault, or None when it holds."""
    expected, before = 1, GENESIS
    for entry in entries:
        if entry.sequence != expected:
            return Fault(expected, "sequence")
        if sha256_hex(entry.payload) != entry.payload_digest:
            return Fault(entry.sequence, "payload")
        if entry.previous != before:
            return Fault(entry.sequence, "previous")
        if entry.digest != entry_digest(
            entry.sequence,
            entry.at,
            entry.actor,
            entry.kind,
            entry.subject,
            entry.payload_digest,
            entry.previous,
        ):
            return Fault(entry.sequence, "digest")
        expected, before = expected + 1, entry.digest
    return None
