"""The ledger as proof: verify it, export it, sign its head."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from geowarn.domain.canonical import canonical_json, sha256_hex
from geowarn.domain.errors import Refused
from geowarn.domain.ledger import GENESIS, Fault, LedgerEntry, first_fault
from geowarn.ports import Clock, Store, UnitOfWork

_PAGE = 2000


def walk(work: UnitOfWork) -> Iterator[LedgerEntry]:
    """Every entry in order, read page by page."""
    after = 0
    while page := work.ledger.entries(after, _PAGE):
        yield from page
        after = page[-1].sequence


def _bytes_fault(work: UnitOfWork, entry: LedgerEntry) -> Fault | None:
    """A released bulletin's stored bytes must still have the digests that its entry names."""
    if entry.kind != "bulletin.released":
        return None
    facts = json.loads(entry.payload)
    stored = {path: sha256_hex(body) for path, body in work.bulletins.artefacts(facts["bulletin"]).items()}
    return None if stored == facts["artefacts"] else Fault(entry.sequence, "artefacts")


def verify(store: Store) -> tuple[int, Fault | None]:
    """Walk the whole chain and every frozen byte; returns the number of entries and the first fault.

    Only reads, so a copy or a database opened read-only will do.
    """
    with store.read() as work:
        count = 0

        def counted() -> Iterator[LedgerEntry]:
            nonlocal count
            for entry in walk(work):
                count += 1
                yield entry

        fault = first_fault(counted())
        if fault is None:
            faults = (_bytes_fault(work, entry) for entry in walk(work))
            fault = next((found for found in faults if found is not None), None)
    return count, fault


def entry_json(entry: LedgerEntry) -> dict[str, Any]:
    """One entry as plain JSON; `payload` stays the exact text its digest was taken from."""
    return asdict(entry)


def entry_from_json(value: Mapping[str, Any]) -> LedgerEntry:
    """Read back what `entry_json` wrote."""
    return LedgerEntry(**value)


def export(store: Store, file: Path) -> int:
    """Write every entry as one JSON line; returns how many."""
    count = 0
    with store.read() as work, file.open("w", encoding="utf-8") as out:
        for entry in walk(work):
            out.write(canonical_json(entry_json(entry)) + "\n")
            count += 1
    return count


def checkpoint_of(head: LedgerEntry | None, at: datetime, sign: Callable[[bytes], str], key: str) -> dict[str, Any]:
    """A signed statement of the ledger's head: Ed25519 over the canonical JSON of its first three keys."""
    facts: dict[str, Any] = {
        "sequence": head.sequence if head else 0,
        "digest": head.digest if head else GENESIS,
        "at": at.isoformat(timespec="seconds"),
    }
    return {**facts, "signature": sign(canonical_json(facts).encode()), "public_key": key}


def take_checkpoint(store: Store, clock: Clock, sign: Callable[[bytes], str], key: str) -> dict[str, Any]:
    """Sign the present head and note the signature in the ledger itself."""
    now = clock.now()
    with store.begin() as work:
        made = checkpoint_of(work.ledger.head(), now, sign, key)
        work.ledger.append(now, "system", "ledger.checkpoint", "ledger", made)
        work.commit()
    return made


def latest_checkpoint(work: UnitOfWork) -> Mapping[str, Any] | None:
    """The newest signed head that the ledger notes, or None."""
    found = work.ledger.entries(subject="ledger")
    return dict(json.loads(found[-1].payload)) if found else None


def checkpoint_holds(value: Mapping[str, Any], verify_signature: Callable[[str, bytes, str], bool]) -> bool:
    """Whether the checkpoint's signature fits its facts and its public key."""
    facts = {name: value[name] for name in ("sequence", "digest", "at")}
    return verify_signature(str(value["public_key"]), canonical_json(facts).encode(), str(value["signature"]))


def refuse_fault(fault: Fault | None) -> None:
    """Raise Refused naming the first bad entry."""
    if fault is not None:
        raise Refused(f"ledger.bad-{fault.what}", sequence=fault.sequence)
