"""`geowarn warnings update / extend / lift / cancel / retract`: what follows a release."""

from __future__ import annotations

from typing import Annotated

import typer

from geowarn.cli.codes import Code, code_for, content_in_force
from geowarn.cli.common import As, AsJson, Data, acting, line, moment, system_of
from geowarn.cli.warnings import Areas, Id, NewLevels, Reason, after_release, levels_of
from geowarn.domain.warning import Proposal
from geowarn.pipeline import change
from geowarn.pipeline.desk import find_warning
from geowarn.pipeline.release import retract as retract_bulletin
from geowarn.pipeline.release import retraction_words


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    for command in (update, downgrade, extend, lift, cancel, retract):
        app.command()(command)


def _proposed(proposal: Proposal) -> None:
    line("proposed", warning=proposal.warning_id, version=proposal.version, digest=proposal.package_sha256)


def update(warning: Id, area: Areas, level: NewLevels, reason: Reason, as_user: As, data: Data = None) -> None:
    """Propose other levels or areas · 改发（升级、扩大）"""
    system = system_of(data)
    _proposed(change.update(system.desk, warning, levels_of(area, level), reason, acting(system, as_user)))


def downgrade(warning: Id, area: Areas, level: NewLevels, reason: Reason, as_user: As, data: Data = None) -> None:
    """Propose lower levels, never a higher one · 降级"""
    system = system_of(data)
    _proposed(change.downgrade(system.desk, warning, levels_of(area, level), reason, acting(system, as_user)))


def extend(
    warning: Id,
    until: Annotated[str, typer.Option("--until", help="New end, ISO 8601 with offset")],
    reason: Reason,
    as_user: As,
    data: Data = None,
) -> None:
    """Propose a later end · 延时"""
    system = system_of(data)
    _proposed(change.extend(system.desk, warning, moment(until, "--until"), reason, acting(system, as_user)))


def lift(warning: Id, reason: Reason, as_user: As, data: Data = None) -> None:
    """Propose the all-clear · 解除"""
    system = system_of(data)
    _proposed(change.lift(system.desk, warning, reason, acting(system, as_user)))


def cancel(warning: Id, reason: Reason, as_user: As, data: Data = None) -> None:
    """Propose to withdraw with a new reason · 取消"""
    system = system_of(data)
    _proposed(change.cancel(system.desk, warning, reason, acting(system, as_user)))


def retract(
    warning: Id,
    as_user: As,
    confirm: Annotated[str, typer.Option("--confirm", help="The words asked for; asked when left out")] = "",
    code: Code = "",
    wait: Annotated[bool, typer.Option("--wait")] = False,
    as_json: AsJson = False,
    data: Data = None,
) -> None:
    """Send the retraction prepared at release: one officer, typed confirmation · 撤回"""
    system = system_of(data)
    actor = acting(system, as_user)
    if not confirm:
        with system.store.read() as work:
            chain = work.bulletins.of_warning(find_warning(work, warning).id)
        if chain:
            line("type-to-confirm", words=" / ".join(retraction_words(chain[-1])))
        confirm = input()
    code = code_for(system, content_in_force(system, warning), code)
    after_release(system, retract_bulletin(system.desk, warning, confirm, actor, code), wait, as_json)
