"""`geowarn users factor`: enrol, confirm, renew recovery codes, drop."""

from __future__ import annotations

import sys
from typing import Annotated

import segno
import typer

from geowarn.bootstrap import System
from geowarn.cli.codes import asked_code
from geowarn.cli.common import AsJson, Data, acting, line, operator, put_json, system_of
from geowarn.pipeline import second_factor
from geowarn.pipeline.actor import find_user


def factor(
    name: Annotated[str, typer.Argument()],
    code: Annotated[str, typer.Option("--code", help="Confirm with the digits that the generator shows")] = "",
    recovery: Annotated[bool, typer.Option("--recovery", help="New recovery codes; the old ones end")] = False,
    drop: Annotated[bool, typer.Option("--drop", help="Take a lost factor away; needs --as")] = False,
    as_user: Annotated[str, typer.Option("--as", help="The administrator acting, for --drop · 办理人")] = "",
    as_json: AsJson = False,
    data: Data = None,
) -> None:
    """Enrol a second factor, confirm it, renew recovery codes, or drop it · 登记动态口令"""
    system = system_of(data)
    if drop:
        second_factor.drop(system.store, system.clock, name, acting(system, as_user))
        line("factor-dropped", user=name)
    elif recovery:
        _say_recovery(_renewed(system, name), as_json)
    elif code:
        _say_recovery(_confirmed(system, name, code), as_json)
    else:
        _enrol(system, name, as_json)


def _enrol(system: System, name: str, as_json: bool) -> None:
    with system.store.begin() as work:
        now, user = system.clock.now(), find_user(work, name)
        made = second_factor.enrol(work, system.vault, user, system.settings.installation.name_en, now)
        work.ledger.append(now, operator(), "factor.enrolled", name, {})
        work.commit()
    if as_json:
        put_json({"account": name, "secret": made.secret, "uri": made.uri})
        return
    line("factor-secret", user=name, secret=made.secret, uri=made.uri)
    if sys.stdout.isatty():
        segno.make(made.uri).terminal(compact=True)
    given = asked_code("factor-confirm")
    if given:
        _say_recovery(_confirmed(system, name, given), as_json)
    else:
        line("factor-pending", user=name)


def _confirmed(system: System, name: str, code: str) -> tuple[str, ...]:
    with system.store.begin() as work:
        user = find_user(work, name)
        codes = second_factor.confirm(work, system.vault, user, code, system.clock.now(), operator())
        work.commit()
    return codes


def _renewed(system: System, name: str) -> tuple[str, ...]:
    with system.store.begin() as work:
        codes = second_factor.renew_recovery(work, system.vault, find_user(work, name), system.clock.now(), operator())
        work.commit()
    return codes


def _say_recovery(codes: tuple[str, ...], as_json: bool) -> None:
    if as_json:
        put_json({"recovery": list(codes)})
        return
    line("recovery-codes", codes="  ".join(codes))
