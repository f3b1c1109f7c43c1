"""Fetches a configured source once: what comes is ingested whole, what does not is noted with its reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from geowarn.domain.canonical import canonical_json, sha256_hex
from geowarn.domain.errors import Refused
from geowarn.domain.rain import Forecast
from geowarn.domain.source import Incomplete, Source, Superseded, late
from geowarn.pipeline.intake import Intake
from geowarn.pipeline.source_notes import (
    last_good,
    note_failed,
    note_good,
    note_older,
    note_refused,
    note_waiting,
    watch_patience,
)
from geowarn.pipeline.source_plan import last_due
from geowarn.ports import Errand, Fetcher, Haul, Store


def wanted(store: Store, source: Source, now: datetime) -> bool:
    """Whether nothing good has come since the newest slot: also after an outage, whatever was missed meanwhile."""
    with store.read() as work:
        good = last_good(work, source.name)
    return source.enabled and not source.watched and late(last_due(source, now), good.at if good else None)


def fetch_source(
    intake: Intake, fetchers: Mapping[str, Fetcher], source: Source, folder: Path, stopped: Callable[[float], bool]
) -> tuple[Forecast, ...]:
    """Fetch and ingest the newest whole run; raises Refused, having noted it, where there was an error.

    Returns nothing where there is nothing newer or the newest run is not whole yet. `folder` holds the files
    meanwhile, `stopped` is as in `ports.Errand`.
    """
    if source.way not in fetchers:
        raise Refused("plan.no-fetcher", source=source.name, way=source.way, known=", ".join(sorted(fetchers)) or "-")
    with intake.store.read() as work:
        good = last_good(work, source.name)
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="fetched-", dir=folder) as place:
        known = {key: str(value) for key, value in (good.facts["known"] if good else {}).items()}
        errand = Errand(source.parameters, Path(place), intake.clock.now(), known, stopped)
        haul = _fetched(intake, fetchers[source.way], source, errand)
        return _taken(intake, source, haul) if haul.files else ()


def _fetched(intake: Intake, fetcher: Fetcher, source: Source, errand: Errand) -> Haul:
    try:
        haul = fetcher.fetch(errand)
    except Refused as refusal:
        with intake.store.begin() as work:
            note_failed(work, source.name, refusal, intake.clock.now())
            work.commit()
        raise
    if haul.waits_for:
        _wait(intake, source, haul.newer, {"waits_for": list(haul.waits_for)})
    return haul


def _taken(intake: Intake, source: Source, haul: Haul) -> tuple[Forecast, ...]:
    run = haul.known.get("run", haul.files[0].name)
    try:
        forecasts = intake.take(source, source.reader, haul.files)
    except Incomplete as gap:
        _wait(intake, source, run, gap.facts())
        return ()
    except Superseded as older:
        with intake.store.begin() as work:
            note_older(work, source.name, run, older.run_time, intake.clock.now())
            work.commit()
        return ()
    except Refused as refusal:
        with intake.store.begin() as work:
            note_refused(work, source.name, haul.files[0].name, _print(haul), refusal, intake.clock.now())
            work.commit()
        raise
    with intake.store.begin() as work:
        note_good(work, source.name, run, forecasts, intake.clock.now(), haul.known)
        work.commit()
    return forecasts


def _wait(intake: Intake, source: Source, run: str, facts: Mapping[str, object]) -> None:
    now = intake.clock.now()
    with intake.store.begin() as work:
        note_waiting(work, source.name, run, now, facts)
        watch_patience(work, source, run, now)
        work.commit()


def _print(haul: Haul) -> str:
    return sha256_hex(canonical_json([[file.name, sha256_hex(file.read_bytes())] for file in haul.files]))
