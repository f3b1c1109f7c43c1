"""`geowarn rules`: the rule sets."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from geowarn.cli.common import AsJson, Data, line, put_json, put_table, system_of
from geowarn.cli.forecast import active_rules
from geowarn.domain.errors import Refused
from geowarn.pipeline.rules import load_rules

app = typer.Typer(help="Rule sets · 阈值规则", no_args_is_help=True)


@app.command("list")
def list_(as_json: AsJson = False, data: Data = None) -> None:
    """Show the rule set in use · 列出在用规则"""
    rules = active_rules(system_of(data))
    if as_json:
        put_json(
            {
                "name": rules.name,
                "version": rules.version,
                "model": rules.model,
                "calibrated": rules.calibrated,
                "digest": rules.digest,
                "parameters": dict(rules.parameters),
                "sources": list(rules.sources),
            }
        )
        return
    put_table(
        ["name", "version", "model", "calibrated", "digest"],
        [[rules.name, rules.version, rules.model, str(rules.calibrated), rules.digest[:16]]],
    )


@app.command()
def check(file: Annotated[Path, typer.Argument()], data: Data = None) -> None:
    """Check a rule file without using it · 检查规则文件"""
    system = system_of(data)
    rules = load_rules(file)
    if rules.model not in system.models:
        raise Refused("config.not-installed", group="model", name=rules.model, known=", ".join(sorted(system.models)))
    system.models[rules.model].check(rules)
    line("rules-fine", name=rules.name, version=rules.version, digest=rules.digest[:16])
