"""A pack for an inquiry, taken by a person who may: what was taken, and by whom, stands in the ledger."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from geowarn.domain.people import Role
from geowarn.pipeline.actor import Actor
from geowarn.pipeline.disclose import Signer, write_pack
from geowarn.ports import Clock, Store, Templates

MAY_EXPORT = (Role.DISCLOSURE, Role.LEADER, Role.CHIEF)


def export_pack(
    store: Store,
    clock: Clock,
    templates: Templates,
    raw_dir: Path,
    signer: Signer,
    subject: str,
    actor: Actor,
    folder: Path,
) -> IO[bytes]:
    """The pack about a warning or a period as a zip archive; the entry that names it is not in it.

    It is a file without a name below `folder`, open at its beginning, and gone when it is closed. Raises NotEntitled,
    or NotFound where there is nothing by that name or in that period.
    """
    actor.need_somewhere(*MAY_EXPORT)
    folder.mkdir(parents=True, exist_ok=True)
    out = TemporaryFile(dir=folder)  # noqa: SIM115 - the caller closes it
    try:
        made = write_pack(store, clock, templates, raw_dir, signer, subject, out)
        facts = {"subject": subject, "files": made.files, "manifest_sha256": made.manifest_sha256}
        with store.begin() as work:
            work.ledger.append(clock.now(), actor.label, "disclosure.exported", subject, facts)
            work.commit()
    except BaseException:
        out.close()
        raise
    out.seek(0)
    return out
