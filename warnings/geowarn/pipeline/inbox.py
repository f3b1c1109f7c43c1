"""Watched folder → forecasts → assessments → proposals, without any command."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from geowarn.domain.errors import Refused
from geowarn.domain.rain import Forecast, RainKind
from geowarn.domain.task import Task
from geowarn.pipeline.actor import SYSTEM
from geowarn.pipeline.propose import new_id
from geowarn.ports import Clock, Store

_UNFINISHED = (".part", ".tmp", ".filepart")


def waiting(inbox: Path) -> list[tuple[str, Path]]:
    """(reader, file) of every complete file below `inbox/<reader>/`, oldest first; a `.part` file is not complete.

    `inbox/cap` holds no rain but alerts of the weather service, see `companion_inbox`.
    """
    found = [
        (folder.name, file)
        for folder in inbox.iterdir()
        if folder.is_dir() and folder.name not in ("taken", "refused", "cap")
        for file in folder.iterdir()
        if file.is_file() and not file.name.startswith(".") and file.suffix not in _UNFINISHED
    ]
    return sorted(found, key=lambda pair: (pair[1].stat().st_mtime, pair[1].name))


def take_in(inbox: Path, store: Store, clock: Clock, ingest: Callable[[str, Path], tuple[Forecast, ...]]) -> int:
    """Ingest every waiting file; a refused one is set aside and opens a task that names the reason."""
    taken = 0
    for reader, file in waiting(inbox) if inbox.is_dir() else []:
        try:
            ingest(reader, file)
            _set_aside(inbox / "taken", file, clock.now())
            taken += 1
        except Refused as refusal:
            _set_aside(inbox / "refused", file, clock.now())
            _note_refusal(store, clock, file.name, refusal)
    return taken


def _set_aside(folder: Path, file: Path, now: datetime) -> None:
    folder.mkdir(exist_ok=True)
    file.replace(folder / f"{now:%Y%m%dT%H%M%S}-{file.name}")


def _note_refusal(store: Store, clock: Clock, name: str, refusal: Refused) -> None:
    now = clock.now()
    facts = {"file": name, "key": refusal.key, "facts": {k: str(v) for k, v in refusal.facts.items()}}
    with store.begin() as work:
        work.tasks.open(Task(new_id("t"), "input-refused", name, now, facts=facts))
        work.ledger.append(now, SYSTEM, "input.refused", name, facts)
        work.commit()


def unassessed(store: Store, now: datetime) -> Forecast | None:
    """The newest run that still lies ahead and that no assessment has used yet, or None."""
    with store.read() as work:
        used = {run.forecast_id for run in work.assessments.latest(200)}
        for forecast in work.forecasts.latest(50):
            if RainKind.FORECAST in forecast.kinds and forecast.coverage.end > now:
                return None if forecast.id in used else forecast
    return None
