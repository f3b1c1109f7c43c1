"""`geowarn rules`: which rule sets there are, what a changed one would change, and switching it on."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Annotated, Any

import typer

from geowarn.bootstrap import System, active_rules
from geowarn.catalogue import explain, say, terminal_language
from geowarn.cli.common import As, AsJson, Data, acting, line, local_time, moment, put_json, put_rows, system_of
from geowarn.cli.progress import advancing
from geowarn.cli.side_by_side import change_json, level_rows, show_changes
from geowarn.domain.errors import Refused
from geowarn.domain.rules import RuleSet
from geowarn.pipeline.replay import Ground
from geowarn.pipeline.rule_acts import last_comparison, remember, stored_or_file, switch_on
from geowarn.pipeline.rule_diff import SeasonDiff, compare_season, season_runs
from geowarn.pipeline.rules import check_rules, load_rules
from geowarn.ports import Activation
from geowarn.resources import config_dir

app = typer.Typer(help="Rule sets · 阈值规则", no_args_is_help=True)


def ground_of(system: System) -> Ground:
    """What a run is worked out again from."""
    return Ground(system.store, system.readers, system.models, system.raw_dir, system.cache_dir)


@app.command("list")
def list_(as_json: AsJson = False, data: Data = None) -> None:
    """Show every rule set and which one holds · 列出规则"""
    system = system_of(data)
    rows = _listed(system)
    if as_json:
        put_json(rows)
        return
    language = terminal_language()
    heads = [say(f"rules.col-{name}", language) for name in ("name", "model", "calibrated", "digest", "where", "holds")]
    put_rows(heads, [_row(system, one, language) for one in rows])


def _listed(system: System) -> list[dict[str, Any]]:
    """Shipped files, the installation's own, and what the store keeps, each text once."""
    found: dict[str, tuple[RuleSet, list[str]]] = {}
    folders = {"shipped": config_dir() / "rules", "own": system.data_dir / "config" / "rules"}
    for where, folder in folders.items():
        for path in sorted(folder.glob("*.toml")):
            rules = load_rules(path)
            found.setdefault(rules.digest, (rules, []))[1].append(where)
    with system.store.read() as work:
        for rules in work.rules.all():
            found.setdefault(rules.digest, (rules, []))[1].append("stored")
        switched = {model: work.rules.active(model) for model in system.models}
    holding = {model: held.digest for model in system.models if (held := _holding(system, model))}
    beside = _beside(system)
    return [
        _listed_json(rules, where, holding.get(rules.model) == rules.digest, switched.get(rules.model))
        | {"use": _use(system, rules, holding.get(rules.model) == rules.digest, beside)}
        for rules, where in sorted(found.values(), key=lambda one: (one[0].model, one[0].name, one[0].version))
    ]


def _holding(system: System, model: str) -> RuleSet | None:
    """The rules in force for a model; None where nobody has given it any."""
    try:
        return active_rules(system, model)
    except Refused:
        return None


def _beside(system: System) -> set[str]:
    """Digests of the rule sets that run beside the deciding one; those that cannot be read are left out."""
    found = set()
    for one in system.alternates():
        with contextlib.suppress(Refused):
            found.add(one.load().digest)
    return found


def _use(system: System, rules: RuleSet, holds: bool, beside: set[str]) -> str:
    """ "decides", "beside", "ready" (holds for its model, which does not run) or empty."""
    if holds and rules.model == system.settings.hazard.model:
        return "decides"
    if rules.digest in beside:
        return "beside"
    return "ready" if holds else ""


def _listed_json(rules: RuleSet, where: list[str], active: bool, switched: Activation | None) -> dict[str, Any]:
    mine = switched if switched is not None and switched.digest == rules.digest else None
    return {
        "name": rules.name,
        "version": rules.version,
        "model": rules.model,
        "calibrated": rules.calibrated,
        "digest": rules.digest,
        "where": where,
        "active": active,
        "activated_by": mine.by if mine else None,
        "activated_at": mine.at.isoformat() if mine else None,
        "reason": mine.reason if mine else None,
        "parameters": dict(rules.parameters),
        "sources": list(rules.sources),
    }


def _row(system: System, one: dict[str, Any], language: str) -> list[str]:
    where = ", ".join(say(f"rules.where-{place}", language) for place in one["where"])
    calibrated = say("rules.calibrated" if one["calibrated"] else "rules.uncalibrated", language)
    holds = say(f"rules.use-{one['use']}", language) if one["use"] else ""
    if one["active"] and one["activated_by"]:
        at = local_time(system, one["activated_at"])
        holds = say("rules.use-and-since", language, use=holds, by=one["activated_by"], at=at)
    return [f"{one['name']} {one['version']}", one["model"], calibrated, one["digest"][:16], where, holds]


@app.command()
def check(file: Annotated[Path, typer.Argument()], data: Data = None) -> None:
    """Check a rule file without using it · 检查规则文件"""
    system = system_of(data)
    rules = load_rules(file, system.models)
    line("rules-fine", name=rules.name, version=rules.version, digest=rules.digest[:16])


@app.command()
def diff(
    file: Annotated[Path, typer.Argument()],
    against: Annotated[str, typer.Option("--against", help="active, a file, or a stored digest")] = "active",
    start: Annotated[str | None, typer.Option("--from", help="ISO 8601 with offset")] = None,
    end: Annotated[str | None, typer.Option("--to", help="ISO 8601 with offset")] = None,
    as_json: AsJson = False,
    data: Data = None,
) -> None:
    """Say what a rule file would change over the stored season · 比较规则"""
    system = system_of(data)
    new = load_rules(file, system.models)
    old = active_rules(system, new.model) if against == "active" else stored_or_file(system.store, against)
    check_rules(old, system.models)
    if old.model != new.model:
        raise Refused("rules.other-model", file=file.name, model=new.model, against=old.model)
    edges = [moment(text, name) if text else None for text, name in ((start, "--from"), (end, "--to"))]
    ground = ground_of(system)
    runs = season_runs(ground, new.model, edges[0], edges[1], system.clock.now())
    try:
        with advancing(len(runs)) as advance:
            found = compare_season(ground, runs, old, new, advance)
    except KeyboardInterrupt:  # what is worked out so far is kept
        raise Refused("cli.interrupted") from None
    if not start and not end:
        remember(system.cache_dir, found)
    if as_json:
        put_json(_diff_json(system, found))
    else:
        _show_diff(system, found)


def _diff_json(system: System, found: SeasonDiff) -> dict[str, Any]:
    return {
        **found.summary(),
        "areas": {code: {"up": up, "down": down} for code, (up, down) in found.by_area.items()},
        "rises": [change_json(system, one) for one in found.rises],
        "falls": [change_json(system, one) for one in found.falls],
        "failures": [{"run": one.run, "reason": explain(one.refusal, terminal_language())} for one in found.failures],
    }


def _show_diff(system: System, found: SeasonDiff) -> None:
    language = terminal_language()
    names = [f"{one.name} {one.version} ({one.digest[:12]})" for one in (found.old, found.new)]
    facts = {"old": names[0], "new": names[1], "runs": found.runs, "up": found.up, "down": found.down}
    typer.echo(say("rules.compared", language, **facts, same=found.same))
    if found.runs == 0:
        typer.echo(say("rules.no-runs", language))
    for failure in found.failures:
        typer.echo(say("rules.left-out", language, run=failure.run, reason=explain(failure.refusal, language)))
    if found.up or found.down:
        typer.echo("\n" + say("rules.matrix", language))
        put_rows(*level_rows(found.matrix, language))
    for key, examples in (("rules.falls", found.falls), ("rules.rises", found.rises)):
        if examples:
            typer.echo("\n" + say(key, language))
            show_changes(system, examples)


@app.command()
def activate(
    file: Annotated[Path, typer.Argument()],
    name: As,
    reason: Annotated[str, typer.Option("--reason", help="Why · 理由")],
    data: Data = None,
) -> None:
    """Switch a rule file on, signed and in the ledger · 启用规则"""
    system = system_of(data)
    rules = load_rules(file, system.models)
    replaced = _holding(system, rules.model) or rules
    compared = last_comparison(system.cache_dir, replaced, rules)
    actor = acting(system, name)
    switch_on(system.store, system.clock, system.models, rules, replaced, actor, reason, compared)
    language = terminal_language()
    shown = {"rules": f"{rules.name} {rules.version}", "digest": rules.digest[:16], "model": rules.model}
    typer.echo(say("rules.activated", language, **shown, user=name))
    schedule = system.settings.schedule
    if rules.model == system.settings.hazard.model:
        typer.echo(say("rules.assessed-again", language, minutes=schedule.assess_minutes))
    elif rules.digest not in _beside(system):
        typer.echo(say("rules.not-used", language, model=rules.model))
    if compared is None:
        typer.echo(say("rules.not-compared", language))
    if not rules.calibrated:
        line("uncalibrated")
