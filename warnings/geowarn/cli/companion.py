"""`geowarn ingest cap`: alerts of the weather service, beside the line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import typer

from geowarn.bootstrap import System
from geowarn.catalogue import say, terminal_language
from geowarn.cli.common import operator, put_json
from geowarn.pipeline.companion import Received, receive_alert

_SAID = {
    "attention": "companion.said-attention",
    "ended": "companion.said-ended",
    "over": "companion.said-over",
    "elsewhere": "companion.said-elsewhere",
    "not-actual": "companion.said-not-actual",
    "known": "companion.said-known",
}


def take_alerts(system: System, files: Sequence[Path], as_json: bool) -> None:
    """Take in each file, one after the other, and say what became of it."""
    taken = [
        receive_alert(system.store, system.clock, system.alert_reader, system.raw_dir, file, operator())
        for file in files
    ]
    if as_json:
        put_json([_json(one) for one in taken] if len(taken) > 1 else _json(taken[0]))
        return
    for one in taken:
        typer.echo(one.id)
        typer.echo(_sentence(system, one), err=True)


def _json(one: Received) -> dict[str, object]:
    return {"id": one.id, "outcome": one.outcome, "areas": list(one.areas), "ended": one.ended}


def _sentence(system: System, one: Received) -> str:
    language = terminal_language()
    with system.store.read() as work:
        names = [area.name(language) for area in work.areas.plain() if area.code in one.areas]
    shown = ("、" if language == "zh" else ", ").join(names) or "?"
    return say(_SAID[one.outcome], language, areas=shown, ended=one.ended)
