"""Checks a disclosure pack with nothing but the pack itself."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geowarn.domain.canonical import canonical_json, sha256_hex
from geowarn.domain.errors import Refused
from geowarn.domain.ledger import GENESIS, entry_digest
from geowarn.domain.package import fill, manifest_digest, unsealed
from geowarn.pipeline.disclose import FORMAT
from geowarn.pipeline.proof import checkpoint_holds

LARGEST = 4 * 1024**3  # bytes of all files together, unpacked
_COLUMNS = ("sequence", "at", "actor", "kind", "subject", "payload_digest", "previous")

VerifySignature = Callable[[str, bytes, str], bool]


@dataclass(frozen=True, slots=True)
class PackReport:
    """What was checked and found to hold."""

    files: int
    entries: int
    bulletins: int
    public_key: str


def read_pack(path: Path) -> dict[str, bytes]:
    """Every file of the archive; raises Refused when it is no archive, damaged or far too large."""
    try:
        with zipfile.ZipFile(path) as archive:
            infos = archive.infolist()
            names = [info.filename for info in infos]
            if sum(info.file_size for info in infos) > LARGEST or len(set(names)) != len(names):
                raise Refused("disclose.not-a-pack", file=path.name)
            return {info.filename: _member(archive, info, path) for info in infos}
    except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError):
        raise Refused("disclose.not-a-pack", file=path.name) from None


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path) -> bytes:
    try:
        return archive.read(info)
    except Exception:  # zlib, struct and zipfile each have their own way to meet a damaged member
        raise Refused("disclose.file-damaged", file=path.name, entry=info.filename) from None


def verify_pack(path: Path, verify_signature: VerifySignature) -> PackReport:
    """Check every digest, signature, the chain, and that final bytes are the signed ones with late fields filled.

    Raises Refused naming the first file or ledger entry that does not hold.
    """
    files = read_pack(path)
    try:
        manifest, key = _check_manifest(files, path.name, verify_signature)
        entries = [json.loads(line) for line in files["ledger.jsonl"].decode().splitlines()]
        head = _check_chain(entries)
        checkpoint = json.loads(files["checkpoint.json"])
        if not checkpoint_holds(checkpoint, verify_signature) or checkpoint["digest"] != head:
            raise Refused("disclose.entry-wrong", entry="checkpoint.json")
        slugs = _check_bulletins(files, entries)
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise Refused("disclose.incomplete", file=path.name, what=str(error)) from None
    return PackReport(len(manifest["files"]), len(entries), len(slugs), key)


def _check_manifest(
    files: Mapping[str, bytes], name: str, verify_signature: VerifySignature
) -> tuple[dict[str, Any], str]:
    manifest = json.loads(files["manifest.json"])
    signature = json.loads(files["manifest.sig.json"])
    if manifest.get("format") != FORMAT:
        raise Refused("disclose.not-a-pack", file=name)
    if not verify_signature(signature["public_key"], files["manifest.json"], signature["signature"]):
        raise Refused("disclose.entry-wrong", entry="manifest.json")
    listed = set(manifest["files"]) | {"manifest.json", "manifest.sig.json"}
    for extra in sorted(set(files) ^ listed):
        raise Refused("disclose.entry-wrong", entry=extra)
    for path, digest in manifest["files"].items():
        if sha256_hex(files[path]) != digest:
            raise Refused("disclose.entry-wrong", entry=path)
    return manifest, str(signature["public_key"])


def _check_chain(entries: Iterable[Mapping[str, Any]]) -> str:
    """The digest of the last entry; payloads left out are proved by their digest alone."""
    before, expected = GENESIS, 1
    for entry in entries:
        payload = entry["payload"]
        whole = payload is None or sha256_hex(payload) == entry["payload_digest"]
        linked = entry["sequence"] == expected and entry["previous"] == before
        if not (whole and linked and entry["digest"] == entry_digest(*(entry[name] for name in _COLUMNS))):
            raise Refused("disclose.ledger-wrong", sequence=expected)
        before, expected = entry["digest"], expected + 1
    return before


def _check_bulletins(files: Mapping[str, bytes], entries: Iterable[Mapping[str, Any]]) -> list[str]:
    slugs = []
    for entry in entries:
        if entry["kind"] != "bulletin.released" or entry["payload"] is None:
            continue
        facts = json.loads(entry["payload"])
        _check_bulletin(files, facts)
        slugs.append(facts["slug"])
    return slugs


def _check_bulletin(files: Mapping[str, bytes], facts: Mapping[str, Any]) -> None:
    root = f"bulletins/{facts['slug']}"
    package = json.loads(files[f"{root}/package.json"])
    if manifest_digest(package) != facts["package_sha256"]:
        raise Refused("disclose.entry-wrong", entry=f"{root}/package.json")
    if canonical_json(json.loads(files[f"{root}/late.json"])) != canonical_json(facts["late"]):
        raise Refused("disclose.entry-wrong", entry=f"{root}/late.json")
    for artefact in package["artefacts"]:
        path = artefact["path"]
        signed, final = files[f"{root}/signed/{path}"], files[f"{root}/final/{path}"]
        if sha256_hex(signed) != artefact["sha256"]:
            raise Refused("disclose.entry-wrong", entry=f"{root}/signed/{path}")
        if fill(signed, facts["late"]) != unsealed(final) or sha256_hex(final) != facts["artefacts"][path]:
            raise Refused("disclose.entry-wrong", entry=f"{root}/final/{path}")
    for path in sorted(set(facts["artefacts"]) ^ {a["path"] for a in package["artefacts"]}):
        raise Refused("disclose.entry-wrong", entry=f"{root}/final/{path}")
