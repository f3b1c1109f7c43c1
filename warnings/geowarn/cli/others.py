"""How the command line shows what every model says of one run."""

from __future__ import annotations

import typer
from rich.console import Console
from rich.table import Table

from geowarn.bootstrap import System
from geowarn.catalogue import say, terminal_language
from geowarn.domain.area import by_code
from geowarn.domain.assessment import AssessmentRun
from geowarn.domain.level import Level
from geowarn.pipeline.agreement import Agreement, Voice, agreement_of, most_telling

_NAMED = 20  # disagreements spelled out


def agreement_for(system: System, run: AssessmentRun) -> Agreement:
    """The voices of one run."""
    with system.store.read() as work:
        return agreement_of(work, run)


def others_json(system: System, run: AssessmentRun) -> dict[str, object]:
    """`others`: every alternate with its levels or its refusal; `disagreements`: two levels or more apart."""
    found = agreement_for(system, run)
    return {
        "others": [_voice_json(voice) for voice in found.voices if not voice.decides],
        "disagreements": [
            {
                "area": one.area,
                "apart": one.apart,
                "higher": {"model": one.higher.model, "level": _code(one.high.level)},
                "lower": {"model": one.lower.model, "level": _code(one.low.level)},
            }
            for one in found.disagreements
        ],
    }


def show_others(system: System, run: AssessmentRun) -> None:
    """Print models against levels, then the disagreements in words; nothing where only one model runs."""
    found, language = agreement_for(system, run), terminal_language()
    if len(found.voices) < 2:
        return
    typer.echo(say("models.others", language, model=run.model))
    _print_table(found, language)
    for voice in found.voices:
        if voice.run is None:
            typer.echo(f"{voice.model}: {voice.why(language)}")
    with system.store.read() as work:
        areas = by_code(work.areas.all())
    gaps = most_telling(found.disagreements, areas)
    typer.echo(say("models.disagreements", language, count=len(gaps)) if gaps else say("models.agreed", language))
    for one in gaps[:_NAMED]:
        typer.echo("  " + one.sentence(areas[one.area].name(language) if one.area in areas else one.area, language))
    if len(gaps) > _NAMED:
        typer.echo("  " + say("models.more-disagreements", language, count=len(gaps) - _NAMED))


def _print_table(found: Agreement, language: str) -> None:
    console = Console(soft_wrap=False)
    console = console if console.is_terminal else Console(width=200)
    table = Table(box=None, pad_edge=False, header_style="bold")
    levels: list[Level | None] = [*reversed(Level), None]
    heads = [say("models.head-model", language), say("models.head-rules", language)]
    for head in [*heads, *(say(f"models.level-{_code(level) or 'unknown'}", language) for level in levels)]:
        table.add_column(head, overflow="fold")
    for voice in found.heard:
        groups = voice.by_level()
        table.add_row(voice.model, voice.rules, *(str(len(groups.get(level, ()))) for level in levels))
    console.print(table)


def _voice_json(voice: Voice) -> dict[str, object]:
    if voice.run is None:
        facts = dict(voice.denied_facts or {})
        return {"model": voice.model, "refused": {"key": voice.denied_key, "facts": facts, "zh": voice.why("zh"),
                                                  "en": voice.why("en")}}  # fmt: skip
    return {
        "id": voice.run.id,
        "model": voice.model,
        "rules": voice.rules,
        "rules_digest": voice.run.rules_digest,
        "calibrated": voice.calibrated,
        "levels": [
            {"code": one.area, "level": _code(one.level), "lower_bound": one.lower_bound}
            for one in voice.run.assessments
        ],
    }


def _code(level: Level | None) -> str | None:
    return None if level is None else level.code
