"""`geowarn score`: a season against the landslides that were reported."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import typer

from geowarn.bootstrap import System, config_file
from geowarn.catalogue import say, terminal_language
from geowarn.cli.common import AsJson, Data, local_time, moment, put_json, put_rows, system_of
from geowarn.domain.level import Level
from geowarn.pipeline.score import UNITS, WARNED
from geowarn.pipeline.score import score as score_season
from geowarn.pipeline.score_events import read_events
from geowarn.pipeline.score_page import render_page
from geowarn.pipeline.score_report import COUNTS, csv_of, values_of
from geowarn.pipeline.score_rules import load_score_rules

_SHOWN = ("pod", "far", "miss_rate", "csi", "bias", "ets", "hss", "pss", "eds", "sedi")


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command()(score)


def score(
    events: Annotated[Path, typer.Option("--events", help="Landslides: area,time,time_end,kind,size,source")],
    start: Annotated[str | None, typer.Option("--from", help="ISO 8601 with offset")] = None,
    end: Annotated[str | None, typer.Option("--to", help="ISO 8601 with offset")] = None,
    unit: Annotated[str, typer.Option("--unit", help=" or ".join(UNITS))] = UNITS[0],
    areas: Annotated[str | None, typer.Option("--areas", help="Codes or kinds, separated by commas")] = None,
    as_json: AsJson = False,
    csv_file: Annotated[Path | None, typer.Option("--csv", help="Write every number as CSV")] = None,
    page: Annotated[Path | None, typer.Option("--page", help="Write a report as one HTML file")] = None,
    data: Data = None,
) -> None:
    """Score the stored season against reported landslides · 检验评分"""
    system = system_of(data)
    with system.store.read() as work:
        known = {area.code: {"zh": area.name_zh, "en": area.name_en} for area in work.areas.plain()}
    installation = system.settings.installation
    rules = load_score_rules(config_file(system.data_dir, "score.toml"))
    report = score_season(
        system.store,
        system.clock,
        read_events(events, known, system.clock.now()),
        rules=rules,
        unit=unit,
        zone=installation.zone,
        start=moment(start, "--from") if start else None,
        end=moment(end, "--to") if end else None,
        area_codes=areas.split(",") if areas else None,
        synthetic_installation=installation.synthetic,
    )
    values = values_of(report) | {"day_begins": f"{rules.day_begins:%H:%M}"}
    if csv_file:
        csv_file.write_text(csv_of(values), encoding="utf-8-sig", newline="")
    if page:
        office = {"zh": installation.name_zh, "en": installation.name_en}
        page.write_text(render_page(system.templates, values, known, office), encoding="utf-8")
    if as_json:
        put_json(values)
        return
    _show(system, values)
    for written in (csv_file, page):
        if written:
            _say("written", file=written)


def _say(key: str, /, **facts: object) -> None:
    typer.echo(say(f"score.{key}", terminal_language(), **facts))


def _show(system: System, values: Mapping[str, Any]) -> None:
    """The report as a person reads it in the terminal."""
    language = terminal_language()
    unit = say(f"score.unit-{values['unit']}", language, begins=values["day_begins"])
    edges = {name: local_time(system, values["period"][name]) for name in ("start", "end")}
    _say("head", unit=unit, areas=len(values["areas"]), rules=", ".join(values["rules"]) or "-", **edges)
    counts = values["counts"]
    for flag, key in ((values["synthetic"], "synthetic"), (not values["calibrated"], "uncalibrated")):
        if flag:
            _say(key)
    _say("counts", lower=counts["lower_bounds"], **counts)
    if counts["hindcast"] and counts["hindcast"] == counts["units"]:
        _say("hindcast")
    _say("events", **counts)
    for series, key in (("assessed", "table-assessed"), ("issued", "table-issued")):
        typer.echo("")
        _say(key)
        _show_tables(values[series]["at_least"], language)
    typer.echo("")
    _show_frequency(values["reliability"], language)
    typer.echo("")
    _show_leads(values["leads"], language)
    typer.echo("")
    _show_matrix(values["edumap"], language)
    typer.echo("")
    _show_hours(values["area_hours"], language)
    _say("human", **values["human"])


def _number(value: float | None, language: str, digits: int = 3) -> str:
    return say("score.none", language) if value is None else f"{value:z.{digits}f}"


def _level(code: str, language: str) -> str:
    return say(f"cli.level-{code}", language)


def _show_tables(tables: Mapping[str, Mapping[str, Any]], language: str) -> None:
    names = [name.replace("_", "-") for name in ("level", *COUNTS, *_SHOWN)]
    rows = []
    for level in WARNED:
        table = tables[level.code]
        scores = [_score(table, name, language) for name in _SHOWN]
        rows.append([_level(level.code, language), *(str(table[name]) for name in COUNTS), *scores])
    put_rows([say(f"score.col-{name}", language) for name in names], rows)


def _score(table: Mapping[str, Any], name: str, language: str) -> str:
    """A score; a rate with its Wilson interval below."""
    interval = table["wilson"].get(name)
    text = _number(table[name], language)
    return f"{text}\n{interval[0]:.2f}-{interval[1]:.2f}" if interval else text


def _show_frequency(said: Mapping[str, Any], language: str) -> None:
    """How often landslides came at each level; with probabilities their Brier score."""
    _say("table-frequency")
    heads = [say(f"score.col-{name}", language) for name in ("level", "issued-share", "assessed-share")]
    rows = [
        [_level(code, language), *(_frequency(said["by_level"][series][code]) for series in ("issued", "assessed"))]
        for code in said["by_level"]["assessed"]
    ]
    put_rows(heads, rows)
    if said["kind"]:
        scores = {name: _number(said[name], language) for name in ("brier", "brier_reference", "brier_skill")}
        _say(f"brier-{said['kind']}", units=said["units"], level=_level(said["level"] or "none", language), **scores)


def _frequency(one: Mapping[str, Any]) -> str:
    if not one["wilson"]:
        return f"{one['with_events']} / {one['units']}"
    low, high = one["wilson"]
    return f"{one['with_events']} / {one['units']} = {one['share']:.1%} ({low:.1%}-{high:.1%})"


def _show_leads(leads: Mapping[str, Any], language: str) -> None:
    _say(
        "leads",
        level=_level(leads["from"], language),
        events=leads["events"],
        warned=leads["warned"],
        median=_number(leads["median"], language, 1),
        tenth=_number(leads["tenth"], language, 1),
        short=leads["under_an_hour"],
        negative=leads["negative"],
    )


def _show_matrix(edumap: Mapping[str, Any], language: str) -> None:
    _say("table-edumap")
    heads = [say("score.col-level", language), say("score.col-class-none", language)]
    least = edumap["classes"]
    ranges = [str(low) if high == low + 1 else f"{low}-{high - 1}" for low, high in pairwise(least)]
    heads += [say("score.col-class", language, least=counts) for counts in (*ranges, f"≥ {least[-1]}")]
    rows = []
    for level in Level:
        cells = zip(edumap["hours"][level.code], edumap["kinds"][level.code], strict=True)
        rows.append([_level(level.code, language), *(f"{hours:g} {kind}" for hours, kind in cells)])
    put_rows(heads, rows)


def _show_hours(hours: Mapping[str, Any], language: str) -> None:
    _say("table-hours")
    total = hours["total"]
    heads = [say(f"score.col-{name}", language) for name in ("level", "hours", "share")]
    rows = [
        [_level(level, language), f"{value:.1f}", f"{value / total:.1%}" if total else "-"]
        for level, value in hours["by_level"].items()
    ]
    put_rows(heads, rows)
