"""Prints what happened in the demo: rain, levels with reasons, signatures, channels."""

from __future__ import annotations

from datetime import datetime

from rich.console import Console
from rich.table import Table

from geowarn.bootstrap import System
from geowarn.catalogue import say
from geowarn.domain.area import AreaKind, by_code
from geowarn.domain.assessment import AssessmentRun
from geowarn.domain.bulletin import Bulletin
from geowarn.domain.dispatch import Dispatch, DispatchState
from geowarn.domain.people import Role
from geowarn.pipeline.assess import evidence_short


def _table(language: str, title: str, *columns: str) -> Table:
    table = Table(title=say(f"demo.{title}", language), title_justify="left", box=None, pad_edge=False)
    for column in columns:
        table.add_column(say(f"demo.{column}", language), overflow="fold")
    return table


def levels_table(system: System, run: AssessmentRun, language: str) -> Table:
    """Per county: what rained, the level, and the arithmetic behind it."""
    table = _table(language, "levels", "area", "rain", "level", "why")
    with system.store.read() as work:
        areas = by_code(work.areas.all())
    chosen = [a for a in run.assessments if areas[a.area].kind is AreaKind.COUNTY]
    for found in sorted(chosen, key=lambda a: (-(a.level if a.level is not None else -1), a.area)):
        code = found.level.code if found.level is not None else "unknown"
        rain = found.evidence.get("r0_mm")
        table.add_row(
            areas[found.area].name(language),
            f"{rain:.1f} mm" if isinstance(rain, float) else "-",
            say(f"cli.level-{code}", language),
            evidence_short(system.templates, found, language, system.settings.installation.zone),
        )
    return table


def signatures_table(signed: list[tuple[str, Role]], digest: str, language: str) -> Table:
    """Who signed what."""
    table = _table(language, "signatures", "who", "role", "package")
    for name, role in signed:
        table.add_row(name, role.value, digest[:16] + "…")
    return table


def _lag(rows: list[Dispatch], release_at: datetime) -> str:
    starts = [row.started_at for row in rows if row.started_at is not None]
    return f"{(min(starts) - release_at).total_seconds():.2f} s" if starts else "-"


def channels_table(system: System, bulletin: Bulletin, language: str) -> Table:
    """Per channel: targets, accepted, delivered, the rest, and how long after `release_at` it began and ended."""
    table = _table(language, "channels", "channel", "targets", "accepted", "delivered", "other", "lag", "last")
    with system.store.read() as work:
        rows = work.dispatches.of_bulletin(bulletin.id)
    for channel in sorted({row.channel for row in rows}):
        mine = [row for row in rows if row.channel == channel]
        delivered = sum(row.state is DispatchState.DELIVERED for row in mine)
        accepted = delivered + sum(row.state is DispatchState.ACCEPTED for row in mine)
        ends = [end for row in mine if (end := row.delivered_at or row.accepted_at) is not None]
        last = f"{(max(ends) - mine[0].release_at).total_seconds():.2f} s" if ends else "-"
        counts = [str(n) for n in (len(mine), accepted, delivered, len(mine) - accepted)]
        table.add_row(channel, *counts, _lag(mine, mine[0].release_at), last)
    return table


def put(*tables: Table) -> None:
    """Print tables, wide enough for a pipe."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=160)
    for table in tables:
        console.print(table)
        console.print()
