"""A pack for an inquiry, taken by a person who may: what was taken, and by whom, stands in the ledger."""

from __future__ import annotations

import io
from pathlib import Path

from geowarn.domain.canonical import sha256_hex
from geowarn.domain.people import Role
from geowarn.pipeline.actor import Actor
from geowarn.pipeline.disclose import Signer, build_pack, write_pack
from geowarn.ports import Clock, Store, Templates

MAY_EXPORT = (Role.DISCLOSURE, Role.LEADER, Role.CHIEF)


def export_pack(
    store: Store, clock: Clock, templates: Templates, raw_dir: Path, signer: Signer, subject: str, actor: Actor
) -> bytes:
    """The pack about a warning or a period as a zip archive; the entry that names it is not in it.

    Raises NotEntitled, or NotFound where there is nothing by that name or in that period.
    """
    actor.need_somewhere(*MAY_EXPORT)
    files = build_pack(store, clock, templates, raw_dir, signer, subject)
    out = io.BytesIO()
    write_pack(files, out)
    facts = {"subject": subject, "files": len(files), "manifest_sha256": sha256_hex(files["manifest.json"])}
    with store.begin() as work:
        work.ledger.append(clock.now(), actor.label, "disclosure.exported", subject, facts)
        work.commit()
    return out.getvalue()
