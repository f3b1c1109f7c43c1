"""Ledger and bytes → a pack that anyone can check offline, without personal data."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from geowarn.domain.bulletin import Bulletin
from geowarn.domain.canonical import canonical_json
from geowarn.domain.dispatch import Dispatch
from geowarn.domain.errors import NotFound
from geowarn.domain.package import Package
from geowarn.domain.warning import HazardWarning
from geowarn.pipeline.counsel_view import counsel_of_version
from geowarn.pipeline.desk import find_warning
from geowarn.pipeline.mailing import is_subscriber
from geowarn.pipeline.pack_file import PackFile, pieces_of
from geowarn.pipeline.proof import checkpoint_of, entry_json, walk
from geowarn.ports import Clock, Store, Templates, UnitOfWork

FORMAT = "geowarn-disclosure/1"


@dataclass(frozen=True, slots=True)
class Signer:
    """The installation's signing key: `sign` gives base64, `public_key` is base64 of the raw Ed25519 key."""

    sign: Callable[[bytes], str]
    public_key: str


def subjects_of(work: UnitOfWork, subject: str) -> tuple[HazardWarning, ...]:
    """The warning named (id, slug or number), or every warning opened in a period `START/END` (ISO 8601)."""
    if "/" not in subject:
        return (find_warning(work, subject),)
    try:
        start, end = (datetime.fromisoformat(part).astimezone() for part in subject.split("/", 1))
    except ValueError:
        raise NotFound("disclose.period", subject=subject) from None
    found = tuple(w for w in work.warnings.all() if start <= w.opened_at < end)
    if not found:
        raise NotFound("disclose.empty-period", subject=subject)
    return found


@dataclass(frozen=True, slots=True)
class PackMade:
    """How many files a pack has, and the digest of the manifest that names them all."""

    files: int
    manifest_sha256: str


def write_pack(
    store: Store, clock: Clock, templates: Templates, raw_dir: Path, signer: Signer, subject: str, out: IO[bytes]
) -> PackMade:
    """Write the pack as a zip archive, file by file; phone numbers and their keys are in none of them.

    Raises NotFound where there is nothing by that name or in that period.
    """
    with PackFile(out) as pack:
        with store.read() as work:
            for path, pieces in _of_store(work, raw_dir, subject):
                pack.put(path, pieces)
            head = checkpoint_of(work.ledger.head(), clock.now(), signer.sign, signer.public_key)
        pack.put("checkpoint.json", [_json(head)])
        pack.put("README.txt", [templates.render("disclosure/readme.txt.j2", subject=subject).encode()])
        manifest = _manifest(pack.digests, subject, clock.now())
        pack.put("manifest.json", [manifest])
        signature = {"signature": signer.sign(manifest), "public_key": signer.public_key, "algorithm": "Ed25519"}
        pack.put("manifest.sig.json", [_json(signature)])
    return PackMade(len(pack.digests), pack.digests["manifest.json"])


def _of_store(work: UnitOfWork, raw_dir: Path, subject: str) -> Iterator[tuple[str, Iterable[bytes]]]:
    """Everything that is kept about the subject, each file when it is asked for; the ledger comes last."""
    warnings = subjects_of(work, subject)
    names = {warning.id for warning in warnings}
    for warning in warnings:
        for bulletin in work.bulletins.of_warning(warning.id):
            names.add(bulletin.id)
            yield from ((path, [body]) for path, body in _bulletin_files(work, bulletin).items())
        yield from ((path, [body]) for path, body in _versions(work, warning, names).items())
    yield from _inputs(work, raw_dir, names)
    yield "ledger.jsonl", _ledger(work, names)


def _json(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()


def _manifest(digests: Mapping[str, str], subject: str, at: datetime) -> bytes:
    manifest = {
        "format": FORMAT,
        "subject": subject,
        "made_at": at.isoformat(timespec="seconds"),
        "files": dict(sorted(digests.items())),
    }
    return canonical_json(manifest).encode()


def _bulletin_files(work: UnitOfWork, bulletin: Bulletin) -> dict[str, bytes]:
    root = f"bulletins/{bulletin.slug}"
    stored = work.proposals.package(bulletin.proposal_id)
    signed = stored if stored.sha256 == bulletin.package_sha256 else stored.retraction
    files = {f"{root}/final/{path}": body for path, body in work.bulletins.artefacts(bulletin.id).items()}
    if isinstance(signed, Package):
        files |= {f"{root}/signed/{a.path}": a.body for a in signed.artefacts}
        files[f"{root}/package.json"] = canonical_json(signed.manifest).encode()
    files[f"{root}/late.json"] = _json(dict(bulletin.late))
    rows = work.dispatches.of_bulletin(bulletin.id)
    files[f"{root}/dispatches.csv"] = _dispatches(rows)
    files[f"{root}/attempts.csv"] = _csv(
        ("dispatch", "began", "ended", "outcome", "reason", "provider_id"),
        (
            (a.dispatch_id, a.began.isoformat(), a.ended.isoformat(), a.outcome.value, a.reason, a.provider_id or "")
            for a in work.dispatches.attempts(bulletin.id)
        ),
    )
    return files


def _dispatches(rows: Iterable[Dispatch]) -> bytes:
    moments = ("release_at", "not_after", "started_at", "accepted_at", "delivered_at")
    head = ("id", "channel", "target", "variant", "tier", "state", "attempts", "provider_id", "reason", *moments)
    return _csv(
        head,
        (
            (
                d.id,
                d.channel,
                "" if d.channel == "sms" or is_subscriber(d.target_key) else d.target_key,  # nobody's key leaves
                d.variant,
                d.tier,
                d.state.value,
                d.attempts,
                d.provider_id or "",
                d.reason or "",
                *(moment.isoformat() if (moment := getattr(d, name)) else "" for name in moments),
            )
            for d in sorted(rows, key=lambda d: d.id)
        ),
    )


def _csv(head: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(rows)
    return out.getvalue().encode()


def _versions(work: UnitOfWork, warning: HazardWarning, names: set[str]) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    for proposal in work.proposals.of_warning(warning.id):
        if proposal.content.assessment_id:
            names.add(proposal.content.assessment_id)
        files[f"versions/{warning.id}-v{proposal.version}.json"] = _json(
            {
                "proposal": proposal.id,
                "version": proposal.version,
                "status": proposal.status.value,
                "status_reason": proposal.status_reason,
                "edited_by": proposal.edited_by,
                "edited_at": proposal.edited_at.isoformat(),
                "package_sha256": proposal.package_sha256,
                "content": proposal.content.as_json(),
                "signatures": [
                    {
                        "user": s.user,
                        "role": s.role.value,
                        "at": s.at.isoformat(),
                        "via": s.via,
                        "package_sha256": s.package_sha256,
                        "voided_at": s.voided_at.isoformat() if s.voided_at else None,
                    }
                    for s in work.signoffs.of_proposal(proposal.id)
                ],
                **counsel_of_version(work, proposal),
            }
        )
    return files


def _inputs(work: UnitOfWork, raw_dir: Path, names: set[str]) -> Iterator[tuple[str, Iterable[bytes]]]:
    """Assessments with their evidence, rule sets and raw forecast payloads, so that levels can be computed again."""
    deciding = sorted(name for name in names if work.assessments.get(name) is not None)
    beside = {run.id for name in deciding for run in work.assessments.beside(name)}
    names |= beside
    for run_id in sorted({*deciding, *beside}):
        run = work.assessments.get(run_id)
        if run is None:
            continue
        rules = work.rules.get(run.rules_digest)
        if rules is not None:
            yield f"rules/{rules.digest}.toml", [rules.text.encode()]
        evidence = _json(
            {
                "id": run.id,
                "forecast": run.forecast_id,
                "beside": run.beside,
                "inputs": list(run.inputs),
                "model": run.model,
                "rules": run.rules,
                "rules_digest": run.rules_digest,
                "window": [run.window.start.isoformat(), run.window.end.isoformat()],
                "run_time": run.run_time.isoformat(),
                "calibrated": run.calibrated,
                "synthetic": run.synthetic,
                "areas": [
                    {
                        "code": a.area,
                        "level": a.level.code if a.level is not None else None,
                        "lower_bound": a.lower_bound,
                        "evidence": dict(a.evidence),
                    }
                    for a in run.assessments
                ],
            }
        )
        yield f"assessments/{run.id}.json", [evidence]
        for forecast_id in run.inputs:
            forecast = work.forecasts.get(forecast_id)
            names.add(forecast_id)
            for kept in forecast.raw_files if forecast is not None else ():
                if (raw_dir / kept.digest).is_file():
                    yield f"raw/{kept.digest}", pieces_of(raw_dir / kept.digest)


def _ledger(work: UnitOfWork, names: set[str]) -> Iterator[bytes]:
    """The whole chain; the payload of entries about something else is left out, its digest stays."""
    for entry in walk(work):
        value = entry_json(entry)
        if entry.subject not in names and entry.kind != "ledger.checkpoint":
            value["payload"] = None
        yield f"{canonical_json(value)}\n".encode()


def save_pack(
    store: Store, clock: Clock, templates: Templates, raw_dir: Path, signer: Signer, subject: str, out: Path
) -> PackMade:
    """Write the pack to a file, beside and then in place."""
    beside = out.with_name(out.name + ".part")
    try:
        with beside.open("wb") as writing:
            made = write_pack(store, clock, templates, raw_dir, signer, subject, writing)
        beside.replace(out)
    finally:
        beside.unlink(missing_ok=True)
    return made
