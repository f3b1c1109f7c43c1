"""`geowarn warnings check-secrecy / comment / consult / adjust / lint / ask-code`: beside the signatures."""

from __future__ import annotations

from typing import Annotated

import typer

from geowarn.catalogue import explain, terminal_language
from geowarn.cli.common import As, AsJson, Data, acting, line, moment, put_json, system_of
from geowarn.cli.warnings import Areas, Id, NewLevels, Reason, levels_of
from geowarn.domain.errors import Refused
from geowarn.pipeline.adjust import adjust as adjust_levels
from geowarn.pipeline.counsel import comment as add_comment
from geowarn.pipeline.counsel import record_consultation
from geowarn.pipeline.desk import find_warning, under_review
from geowarn.pipeline.lint_texts import blocking
from geowarn.pipeline.secrecy import check_secrecy as check_for_secrets

Digest = Annotated[str | None, typer.Option("--package", help="Refuse unless this is still the digest")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    for command in (check_secrecy, comment, consult, adjust, lint):
        app.command()(command)


def check_secrecy(warning: Id, as_user: As, digest: Digest = None, data: Data = None) -> None:
    """Record the secrecy check of the version under review · 登记保密审查"""
    system = system_of(data)
    check = check_for_secrets(system.desk, warning, acting(system, as_user), digest)
    line("secrecy-checked", user=check.user, warning=warning, digest=check.package_sha256)


def comment(
    warning: Id,
    text: Annotated[str, typer.Option("--text", help="One remark, at most 500 characters")],
    as_user: As,
    data: Data = None,
) -> None:
    """Put a remark on the version under review · 备注"""
    system = system_of(data)
    made = add_comment(system.desk, warning, text, acting(system, as_user))
    line("commented", warning=made.warning_id, version=made.version)


def consult(
    warning: Id,
    spoke_with: Annotated[str, typer.Option("--with", help="Name and post of the person at the observatory")],
    at: Annotated[str, typer.Option("--at", help="When, ISO 8601 with offset")],
    words: Annotated[str, typer.Option("--words", help="What was said and agreed")],
    as_user: As,
    disagreed: Annotated[bool, typer.Option("--disagreed", help="The observatory did not agree")] = False,
    digest: Digest = None,
    data: Data = None,
) -> None:
    """Record a talk with the observatory; it is no signature · 登记会商"""
    system = system_of(data)
    spoken, actor = moment(at, "--at"), acting(system, as_user)
    record_consultation(system.desk, warning, spoke_with, spoken, not disagreed, words, actor, digest)
    line("consulted", warning=warning, person=spoke_with)


def adjust(warning: Id, area: Areas, level: NewLevels, reason: Reason, as_user: As, data: Data = None) -> None:
    """Change levels or areas of the version under review · 调整级别或地区"""
    system = system_of(data)
    made = adjust_levels(system.desk, warning, levels_of(area, level), reason, acting(system, as_user))
    line("edited", warning=made.warning_id, version=made.version, digest=made.package_sha256)


def lint(warning: Id, as_json: AsJson = False, data: Data = None) -> None:
    """Read every public text of the version under review as a citizen would · 检查对外文字"""
    system = system_of(data)
    with system.store.read() as work:
        proposal = under_review(work, find_warning(work, warning).id)
        package, areas = work.proposals.package(proposal.id), work.areas.plain()
    found = system.desk.linter.of(package, proposal.content, areas) if system.desk.linter else ()
    held = blocking(system.policy, found)
    if as_json:
        put_json([{"rule": f.rule, "path": f.path, "blocks": f in held, **f.facts} for f in found])
    else:
        for one in found:
            typer.echo(explain(Refused(one.key, path=one.path, **one.facts), terminal_language()))
        line("linted", warning=proposal.warning_id, count=len(found), blocks=len(held))
    if held:
        raise typer.Exit(1)
