"""Watched folder `inbox/cap/` → alerts of the weather service, without any command."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from geowarn.domain.errors import Refused
from geowarn.domain.task import Task
from geowarn.pipeline.actor import SYSTEM
from geowarn.pipeline.companion import Received, receive_alert
from geowarn.pipeline.propose import new_id
from geowarn.ports import AlertReader, Clock, Store

FOLDER = "cap"
_UNFINISHED = (".part", ".tmp", ".filepart")
_CALM_SECONDS = 10  # a file last changed this long ago is whole


def take_in_alerts(
    inbox: Path, store: Store, clock: Clock, reader: AlertReader, raw_dir: Path, actor_text: str
) -> tuple[Received, ...]:
    """Receive every alert that lies in `inbox/cap/`; a refused one is set aside and opens a task with the reason.

    A file is set aside only after what it says is kept, so that an end in between repeats it and changes nothing.
    """
    taken = []
    for file in waiting(inbox / FOLDER, clock.now().timestamp()):
        try:
            taken.append(receive_alert(store, clock, reader, raw_dir, file, actor_text))
            set_aside(inbox / "taken", file, clock)
        except Refused as refusal:
            _note(store, clock, file.name, refusal)
            set_aside(inbox / "refused", file, clock)
    return tuple(taken)


def waiting(folder: Path, now: float) -> Iterator[Path]:
    """Complete files, oldest first: an update must not come before its alert without need."""
    files = [one for one in folder.iterdir() if one.is_file()] if folder.is_dir() else []
    for file in sorted(files, key=lambda one: (one.stat().st_mtime, one.name)):
        whole = not file.name.startswith(".") and file.suffix not in _UNFINISHED
        if whole and file.stat().st_mtime <= now - _CALM_SECONDS:
            yield file


def set_aside(folder: Path, file: Path, clock: Clock) -> None:
    """Move a file that was dealt with out of the way, its name behind the moment."""
    folder.mkdir(exist_ok=True)
    file.replace(folder / f"{clock.now():%Y%m%dT%H%M%S}-{file.name}")


def _note(store: Store, clock: Clock, name: str, refusal: Refused) -> None:
    now = clock.now()
    facts = {"file": name, "key": refusal.key, "facts": refusal.kept()}
    with store.begin() as work:
        if work.tasks.open(Task(new_id("t"), "input-refused", name, now, facts=facts)):
            work.ledger.append(now, SYSTEM, "input.refused", name, facts)
            work.commit()
