"""`geowarn roster swap / confirm / hand-over / take-over / report`: what people on duty do."""

from __future__ import annotations

from typing import Annotated

import typer

from geowarn.catalogue import terminal_language
from geowarn.cli.common import As, AsJson, Data, acting, local_time, moment, put_json, system_of
from geowarn.cli.roster import put_columns, said
from geowarn.domain.duty import Part, SwapState
from geowarn.pipeline.roster_asks import confirm
from geowarn.pipeline.roster_desk import find_shift
from geowarn.pipeline.roster_handover import hand_over, take_over
from geowarn.pipeline.roster_report import shift_report
from geowarn.pipeline.roster_swaps import agree, ask_swap, decide

ShiftId = Annotated[str, typer.Argument(help="See `geowarn roster list`")]


def register(app: typer.Typer) -> None:
    """Add the commands to `geowarn roster`."""
    app.command("swap")(swap)
    app.command("confirm")(confirm_shift)
    app.command("hand-over")(give)
    app.command("take-over")(take)
    app.command("report")(report)


def swap(
    who: As,
    shift: Annotated[str, typer.Argument(help="A shift, or with --agree, --approve, --refuse a swap")],
    taker: Annotated[str | None, typer.Option("--to-person", help="Who takes over")] = None,
    part: Annotated[Part, typer.Option("--seat")] = Part.OFFICER,
    reason: Annotated[str, typer.Option("--reason")] = "",
    start: Annotated[str | None, typer.Option("--from", help="ISO 8601 with offset; else the whole shift")] = None,
    end: Annotated[str | None, typer.Option("--to", help="ISO 8601 with offset")] = None,
    agrees: Annotated[bool, typer.Option("--agree")] = False,
    approves: Annotated[bool, typer.Option("--approve")] = False,
    refuses: Annotated[bool, typer.Option("--refuse")] = False,
    data: Data = None,
) -> None:
    """Somebody takes over a seat; the taker agrees, a leader decides · 换班"""
    system = system_of(data)
    desk, actor = system.roster_desk, acting(system, who)
    if agrees:
        done = agree(desk, shift, actor)
    elif approves or refuses:
        done = decide(desk, shift, actor, approves)
    else:
        begun, over = (moment(text, name) if text else None for text, name in ((start, "--from"), (end, "--to")))
        done = ask_swap(desk, actor, shift, part, taker or "", reason, begun, over)
    key = {SwapState.ASKED: "asked", SwapState.AGREED: "agreed", SwapState.DONE: "done", SwapState.REFUSED: "refused"}
    said(f"swap-{key[done.state]}", swap=done.id, taker=done.taker)


def confirm_shift(
    who: As,
    shift: ShiftId,
    person: Annotated[str | None, typer.Option("--for", help="Somebody who answered by telephone")] = None,
    no: Annotated[bool, typer.Option("--no", help="Cannot come")] = False,
    data: Data = None,
) -> None:
    """Confirm a shift before it begins · 班前应答"""
    system = system_of(data)
    done = confirm(system.roster_desk, shift, acting(system, who), "", person, "no" if no else "yes")
    said("shift-declined" if no else "shift-confirmed", user=done.person, shift=done.shift)


def give(who: As, notes: Annotated[str, typer.Option("--notes")] = "", data: Data = None) -> None:
    """Hand one's shift over with what is open and a note · 交班"""
    system = system_of(data)
    made = hand_over(system.roster_desk, acting(system, who), notes)
    said("handed-over", handover=made.id, taker=made.taker or "-", tasks=len(made.facts["tasks"]))


def take(who: As, handover: Annotated[str, typer.Argument()], data: Data = None) -> None:
    """Take the shift over from the one before · 接班"""
    system = system_of(data)
    taken = take_over(system.roster_desk, handover, acting(system, who))
    said("taken-over", giver=taken.giver, taker=taken.taken_by or "-")


def report(shift: ShiftId, as_json: AsJson = False, data: Data = None) -> None:
    """What a shift did, from the ledger · 值班报告"""
    system = system_of(data)
    with system.store.read() as work:
        made = shift_report(work, find_shift(work, shift), system.clock.now())
        if as_json:
            put_json(made.as_json())
            return
        from geowarn.web.ledger_said import alone, sentence, teller_of  # every other command starts without the web
        from geowarn.web.wording import words_for

        words = words_for(terminal_language(), system.settings.installation.zone, system.data_dir / "templates")
        teller = teller_of(work, words, system.facts["channels"])
    start, end = (local_time(system, at.isoformat()) for at in (made.shift.start, made.shift.end))
    said("report-head", user=made.shift.officer, start=start, end=end)
    said(
        "report-sum",
        entries=sum(made.counts.values()),
        messages=made.messages,
        delivered=made.delivered,
        late=made.late,
    )
    rows = [
        [local_time(system, x.at), teller.who(x), sentence(system.templates, teller, alone(x)).unescape()]
        for x in made.lines
    ]
    put_columns(["time", "who", "what"], rows)
