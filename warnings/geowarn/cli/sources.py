"""Configured sources at the command line: run one once, hand it files, show the plan."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from threading import Event
from typing import Any

from geowarn.bootstrap import System, load_sources
from geowarn.cli.common import operator
from geowarn.domain.errors import NotFound, Refused
from geowarn.domain.rain import Forecast
from geowarn.domain.source import Incomplete, Source, Superseded
from geowarn.pipeline.fetch import fetch_source
from geowarn.pipeline.inbox import Inbox
from geowarn.pipeline.ingest import ingest
from geowarn.pipeline.intake import Intake
from geowarn.pipeline.reader_options import of_command_line
from geowarn.pipeline.source_notes import note_good
from geowarn.ports import SourceEvent
from geowarn.settings import Settings


def run_source(
    system: System, name: str, files: Sequence[Path], called: str | None, options: Sequence[str] = ()
) -> tuple[Forecast, ...]:
    """Take in files by a reader's or a configured source's name, or run a configured source once; raises Refused.

    A source of the plan goes before a reader of the same name.
    """
    if files and name not in system.sources:
        return _read(system, name, files, called, options)
    if options:
        raise Refused("plan.options-in-file", source=name)
    source = system.sources.get(name)
    if source is None and name in system.readers:
        raise Refused("cli.file-missing", source=name)
    if source is None:
        raise NotFound("plan.unknown", source=name, known=", ".join(system.sources) or "-")
    if not source.enabled:
        raise Refused("plan.disabled", source=name)
    return _handed_in(system, source, files) if files else _once(system, source)


def _read(
    system: System, reader: str, files: Sequence[Path], called: str | None, options: Sequence[str]
) -> tuple[Forecast, ...]:
    return ingest(
        system.store,
        system.clock,
        system.readers,
        system.raw_dir,
        reader,
        files,
        source=called,
        synthetic_installation=system.settings.installation.synthetic,
        actor_text=operator(),
        options=of_command_line(options, reader),
    )


def _intake(system: System) -> Intake:
    synthetic = system.settings.installation.synthetic
    return Intake(system.store, system.clock, system.readers, system.raw_dir, synthetic, operator())


def _handed_in(system: System, source: Source, files: Sequence[Path]) -> tuple[Forecast, ...]:
    try:
        forecasts = _intake(system).take(source, source.reader, files)
    except Incomplete as gap:
        lacks = ", ".join(f"{one.start.isoformat()} – {one.end.isoformat()}" for one in gap.gaps)
        raise Refused("plan.incomplete", source=source.name, hours=source.needs_hours, lacks=lacks) from None
    except Superseded as older:
        raise Refused("plan.older", source=source.name, run_time=older.run_time.isoformat()) from None
    with system.store.begin() as work:
        note_good(work, source.name, files[0].name, forecasts, system.clock.now(), {})
        work.commit()
    return forecasts


def _once(system: System, source: Source) -> tuple[Forecast, ...]:
    if source.watched:
        forecasts = _looked(system, source)
    else:
        forecasts = fetch_source(_intake(system), system.fetchers, source, system.cache_dir / "fetched", Event().wait)
    if forecasts:
        return forecasts
    with system.store.read() as work:
        event = work.source_events.newest(source.name)
    if event is not None and event.kind == "refused":
        raise Refused(event.facts["key"], **event.facts["facts"])
    if waits := _waits_for(event):
        raise Refused("plan.nothing", source=source.name, waits_for=waits)
    where = f"inbox/{source.name}/" if source.watched else source.way
    raise Refused("plan.nothing-there", source=source.name, where=where)


def _looked(system: System, source: Source) -> tuple[Forecast, ...]:
    """Two looks: a file that was there at both and has not grown meanwhile is whole."""
    inbox = Inbox(system.data_dir / "inbox", _intake(system), system.sources)
    first = inbox.look(source.name)
    time.sleep(1)
    second = inbox.look(source.name)
    for fault in (*first.faults, *second.faults):
        raise fault
    return (*first.taken, *second.taken)


def _waits_for(event: SourceEvent | None) -> str:
    if event is None or event.kind != "waiting":
        return ""
    lacks = [" – ".join(gap) for gap in event.facts.get("lacks", [])]
    return f"{event.facts['run']}: {', '.join([*lacks, *event.facts.get('waits_for', [])]) or '?'}"


def _masked(value: object) -> object:
    """Without what stands behind a question mark, where keys may be."""
    return f"{value.partition('?')[0]}?***" if isinstance(value, str) and "?" in value else value


def sources_json(data_dir: Path | None, settings: Settings) -> dict[str, Any]:
    """The source plan as plain JSON."""
    found = {}
    for name, source in load_sources(data_dir, settings).items():
        plain = {key: _masked(value) for key, value in source.parameters.values.items()}
        found[name] = asdict(source) | {"parameters": plain, "options": dict(source.options.values)}
    return found
