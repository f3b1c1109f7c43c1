"""`geowarn ingest`, `assess` and `replay`: forecast → level."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from geowarn.bootstrap import System, active_rules
from geowarn.catalogue import say, terminal_language
from geowarn.cli.common import AsJson, Data, line, local_time, moment, operator, put_json, put_table, system_of
from geowarn.cli.companion import take_alerts
from geowarn.cli.others import others_json, show_others
from geowarn.cli.rules import ground_of
from geowarn.cli.side_by_side import change_json, show_changes
from geowarn.cli.sources import run_source
from geowarn.domain.assessment import AssessmentRun
from geowarn.domain.errors import Refused
from geowarn.domain.rain import Forecast
from geowarn.pipeline import assess as assessing
from geowarn.pipeline.assess import Replay
from geowarn.pipeline.replay import changes, replay_under, replay_with_alternates
from geowarn.pipeline.rules import load_rules


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(ingest)
    app.command()(assess)
    app.command()(replay)


def ingest(
    source: Annotated[
        str, typer.Argument(help="A configured source, or a reader with --file: grib, netcdf, openmeteo, csv, cap …")
    ],
    file: Annotated[
        list[Path] | None, typer.Option("--file", help="The file to read; several for a run in parts")
    ] = None,
    name: Annotated[str | None, typer.Option("--source", help="What the source is called in evidence")] = None,
    option: Annotated[
        list[str] | None, typer.Option("--option", help="What the reader is to know, name=value; several times")
    ] = None,
    as_json: AsJson = False,
    data: Data = None,
) -> None:
    """Take in a forecast or observed rain and print its id · 接收预报或实况"""
    system = system_of(data)
    if source == "cap" and file:
        take_alerts(system, file, as_json)
        return
    forecasts = run_source(system, source, file or [], name, option or [])
    if as_json:
        put_json([forecast_json(one) for one in forecasts] if len(forecasts) > 1 else forecast_json(forecasts[0]))
        return
    for one in forecasts:
        typer.echo(one.id)


def forecast_json(forecast: Forecast) -> dict[str, object]:
    """A stored forecast as plain JSON."""
    return {
        "id": forecast.id,
        "source": forecast.source,
        "part": forecast.part,
        "run_time": forecast.run_time.isoformat(),
        "start": forecast.coverage.start.isoformat(),
        "end": forecast.coverage.end.isoformat(),
        "fields": forecast.fields,
        "kinds": sorted(kind.value for kind in forecast.kinds),
        "synthetic": forecast.synthetic,
        "payload_sha256": forecast.payload_digest,
    }


def _area_codes(system: System, chosen: str | None) -> list[str] | None:
    if not chosen:
        return None
    wanted = {part.strip() for part in chosen.split(",")}
    with system.store.read() as work:
        areas = work.areas.all()
    found = [area.code for area in areas if area.code in wanted or area.kind.value in wanted]
    missing = wanted - set(found) - {area.kind.value for area in areas}
    if missing:
        raise Refused("propose.unknown-area", code=", ".join(sorted(missing)))
    return found


def assess(
    forecast: Annotated[str, typer.Argument(metavar="ID")],
    window: Annotated[int | None, typer.Option("--window", help="Hours, 1 to 24")] = None,
    at: Annotated[str | None, typer.Option("--at", help="Start of the window, ISO 8601 with offset")] = None,
    areas: Annotated[str | None, typer.Option("--areas", help="Codes or kinds, separated by commas")] = None,
    model: Annotated[str | None, typer.Option("--model")] = None,
    allow_stale: Annotated[str | None, typer.Option("--allow-stale", metavar="REASON")] = None,
    as_json: AsJson = False,
    data: Data = None,
) -> None:
    """Turn a forecast into a level per area, with the evidence · 研判定级"""
    system = system_of(data)
    chosen = model or system.settings.hazard.model
    alone = chosen != system.settings.hazard.model
    run, *_ = assessing.assess_all(
        system.store,
        system.clock,
        system.readers,
        system.models,
        system.raw_dir,
        system.cache_dir,
        forecast,
        rules=active_rules(system, chosen),
        model=chosen,
        also=() if alone else system.alternates(),
        max_of_models=system.settings.hazard.max_of_models,
        second_trigger=() if alone else system.settings.hazard.second_trigger,
        window_hours=window or system.settings.hazard.window_hours,
        at=moment(at, "--at") if at else None,
        area_codes=_area_codes(system, areas),
        stale_reason=allow_stale,
        synthetic_installation=system.settings.installation.synthetic,
        actor_text=operator(),
    )
    if as_json:
        put_json(run_json(system, run) | others_json(system, run))
        return
    show_run(system, run, as_json)
    show_others(system, run)


def area_names(system: System) -> dict[str, str]:
    """Every area's name in the terminal's language, by code."""
    with system.store.read() as work:
        return {area.code: area.name(terminal_language()) for area in work.areas.all()}


def show_run(system: System, run: AssessmentRun, as_json: bool) -> None:
    """Print an assessment run as a table, or whole as JSON."""
    if as_json:
        put_json(run_json(system, run))
        return
    language, names = terminal_language(), area_names(system)
    line(
        "assessed",
        run=run.id,
        model=run.model,
        rules=run.rules,
        start=local_time(system, run.window.start.isoformat()),
        end=local_time(system, run.window.end.isoformat()),
    )
    for flag, key in ((run.synthetic, "synthetic"), (not run.calibrated, "uncalibrated")):
        if flag:
            line(key)
    rows = [
        [
            a.area,
            names.get(a.area, ""),
            level_word(a.level.code if a.level is not None else None, a.lower_bound),
            assessing.evidence_sentence(system.templates, a, language, system.settings.installation.zone),
        ]
        for a in sorted(run.assessments, key=lambda a: (-(a.level if a.level is not None else -1), a.area))
    ]
    put_table(["code", "name", "level", "evidence"], rows)


def level_word(code: str | None, lower_bound: bool = False) -> str:
    """A level in words; a lower bound says "at least", None says "cannot classify"."""
    language = terminal_language()
    word = say(f"cli.level-{code or 'unknown'}", language)
    return say("cli.at-least", language, level=word) if lower_bound and code else word


def run_json(system: System, run: AssessmentRun) -> dict[str, object]:
    """An assessment run as plain JSON, with the evidence sentences."""
    return {
        "id": run.id,
        "forecast": run.forecast_id,
        "inputs": list(run.inputs),
        "model": run.model,
        "rules": run.rules,
        "rules_digest": run.rules_digest,
        "window": {"start": run.window.start.isoformat(), "end": run.window.end.isoformat()},
        "run_time": run.run_time.isoformat(),
        "age_hours": run.age_hours,
        "synthetic": run.synthetic,
        "calibrated": run.calibrated,
        "stale_reason": run.stale_reason,
        "areas": [
            {
                "code": a.area,
                "level": a.level.code if a.level is not None else None,
                "lower_bound": a.lower_bound,
                "evidence": dict(a.evidence),
                "sentence_zh": assessing.evidence_sentence(
                    system.templates, a, "zh", system.settings.installation.zone
                ),
                "sentence_en": assessing.evidence_sentence(
                    system.templates, a, "en", system.settings.installation.zone
                ),
            }
            for a in run.assessments
        ],
    }


def replay(
    run_id: Annotated[str, typer.Argument(metavar="ID")],
    rules: Annotated[Path | None, typer.Option("--rules", help="Show another rule set beside it")] = None,
    as_json: AsJson = False,
    data: Data = None,
) -> None:
    """Compute an assessment again from the raw payload and compare bit for bit · 重算核对"""
    system = system_of(data)
    if rules is not None:
        show_under(system, replay_under(ground_of(system), run_id, load_rules(rules, system.models)), as_json)
        return
    found = replay_with_alternates(ground_of(system), run_id)
    if as_json:
        first, *beside = [
            {"equal": one.equal, "stored": run_json(system, one.stored), "again": run_json(system, one.recomputed)}
            for one in found
        ]
        put_json({**first, "beside": beside})
    for one in found:
        if not one.equal:
            raise Refused("cli.replay-differs", run=one.stored.id)
        if not as_json:
            line("replay-equal", run=one.stored.id, count=len(one.stored.assessments))


def show_under(system: System, found: Replay, as_json: bool) -> None:
    """Print a run beside what other rules say of it, what changes first."""
    stored, again, equal = found
    rows = changes(stored, again)
    if as_json:
        both = {"stored": run_json(system, stored), "again": run_json(system, again)}
        put_json({"equal": equal, **both, "changes": [change_json(system, one) for one in rows]})
        return
    up, down = (sum(sign * one.levels > 0 for one in rows) for sign in (1, -1))
    facts = {"run": stored.id, "old": stored.rules, "new": again.rules, "areas": len(rows)}
    typer.echo(say("rules.replayed", terminal_language(), **facts, up=up, down=down))
    show_changes(system, rows)
