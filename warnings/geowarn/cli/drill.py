"""`geowarn drill`: a whole exercise from the command line, with its report."""

from __future__ import annotations

from typing import Annotated

import typer

from geowarn.bootstrap import System
from geowarn.catalogue import say, terminal_language
from geowarn.cli.common import AsJson, Data, put_json, put_rows, system_of
from geowarn.cli.run import stop_on_signal
from geowarn.cli.warnings import levels_of
from geowarn.domain.errors import Refused
from geowarn.domain.exercise import TYPED, Exercise, Scenario
from geowarn.pipeline.actor import Actor
from geowarn.pipeline.exercise_report import Leg, Report
from geowarn.scenario_file import chosen_scenario, load_scenario
from geowarn.security import os_user

_AREAS = typer.Option("--areas", "--area", help="Area codes instead of a scenario; comma-separated or repeated")
_LEVEL = typer.Option("--level", help="One for all areas, or one for each")
_WITH = typer.Option("--with", help="Who takes part; may be given several times")
_AUTO = typer.Option("--auto", help="Sign and release for those who take part, end it, print the report")


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command()(drill)


def drill(
    scenario: Annotated[str, typer.Option("--scenario", help="A file of config/exercises/")] = "storm",
    areas: Annotated[list[str] | None, _AREAS] = None,
    level: Annotated[list[str] | None, _LEVEL] = None,
    minutes: Annotated[int, typer.Option("--minutes", help="Then it ends by itself")] = 60,
    auto: Annotated[bool, _AUTO] = False,
    people: Annotated[list[str] | None, _WITH] = None,
    confirm: Annotated[str, typer.Option("--confirm", help="演练; asked when left out")] = "",
    as_json: AsJson = False,
    data: Data = None,
) -> None:
    """Play an exercise to the test targets: exit 0 when everything was done and arrived · 演练"""
    from geowarn import drill as played

    system = system_of(data)
    try:
        chosen = _scenario(system, scenario, areas, level)
        played.prepare(system)
        cast = played.cast_of(system, tuple(people or ()))
        director = Actor(played.director_of(system, cast), "command line", f"OS user {os_user()}")
        typed = _typed(confirm, auto and system.settings.installation.synthetic)
        with played.surroundings(system):
            exercise, code = played.begin(system, chosen, typed, minutes, director)
            if auto:
                played.play(system, exercise, code, cast, director)
            else:
                _invite(system, exercise, code)
                played.watch(system, exercise, stop_on_signal())
        _put(played.report(system, exercise), as_json)
    finally:
        system.store.dispose()


def _scenario(system: System, name: str, areas: list[str] | None, level: list[str] | None) -> Scenario:
    codes = [code for given in areas or () for code in given.split(",") if code]
    return chosen_scenario(levels_of(codes, level or [])) if codes else load_scenario(system.data_dir, name)


def _typed(given: str, by_itself: bool) -> str:
    """The word: given, asked for, or taken from `--auto` where nobody real takes part."""
    if given or by_itself:
        return given or TYPED[0]
    typer.echo(say("cli.type-to-confirm", terminal_language(), words=" / ".join(TYPED)))
    return input()


def _invite(system: System, exercise: Exercise, code: str) -> None:
    language, site = terminal_language(), system.settings.site.public_url
    title = exercise.title(language)
    typer.echo(say("exercise.drill-began", language, number=exercise.number, title=title, code=code), err=True)
    typer.echo(say("exercise.drill-open", language, address=f"{site}/console/exercise"), err=True)


def _put(told: Report, as_json: bool) -> None:
    """Print the report; raises Refused, which ends with 1, where something is lacking."""
    language = terminal_language()
    if as_json:
        put_json(told.as_json())
    else:
        heads = [say(f"exercise.col-{name}", language) for name in ("step", "since", "who", "detail")]
        steps = [[s.key, f"{s.seconds:.1f} s", s.who, s.detail] for s in told.steps]
        put_rows(heads, [[say(f"exercise.did-{row[0]}", language), *row[1:]] for row in steps])
        heads = [
            say(f"exercise.col-{name}", language)
            for name in ("channel", "targets", "accepted", "delivered", "first", "last")
        ]
        put_rows(heads, [_leg(leg) for leg in told.legs])
    if not told.complete:
        reason = ", ".join(told.lacking)
        raise Refused("exercise.drill-failed", number=told.exercise.number, reason=reason)
    if not as_json:
        typer.echo(say("exercise.drill-complete", language, number=told.exercise.number))


def _leg(leg: Leg) -> list[str]:
    times = [f"{seconds:.2f} s" if seconds is not None else "-" for seconds in (leg.first, leg.last)]
    return [f"{leg.channel} {leg.target}".strip(), str(leg.total), str(leg.accepted), str(leg.delivered), *times]
