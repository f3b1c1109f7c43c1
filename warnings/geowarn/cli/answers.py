"""`geowarn answers`: answers to what people ask, and rumours put right, from draft to publication."""

from __future__ import annotations

from typing import Any

import typer

from geowarn.catalogue import say, terminal_language
from geowarn.cli.common import As, AsJson, Data, acting, local_time, put_json, put_table, system_of
from geowarn.cli.incidents import File, Id, table_in, view_of
from geowarn.domain.incident import Draft
from geowarn.pipeline import answers
from geowarn.pipeline.answers import ANSWERS

app = typer.Typer(help="Answers and rumours put right · 公开答复与辟谣", no_args_is_help=True)


def _said(key: str, **facts: Any) -> None:
    typer.echo(say(f"answers.{key}", terminal_language(), **facts))


def _drafted(draft: Draft) -> None:
    _said("drafted", answer=draft.incident_id, version=draft.version, digest=draft.digest)


@app.command("list")
def list_(as_json: AsJson = False, data: Data = None) -> None:
    """List answers, newest first · 列出公开答复"""
    system = system_of(data)
    with system.store.read() as work:
        views = [view_of(system, work, answer.id, ANSWERS) for answer in work.answers.all()]
    if as_json:
        put_json(views)
        return
    rows = [[v["id"], v["title"], str(len(v["versions"])), local_time(system, v["opened_at"])] for v in views]
    put_table(["number", "name", "version", "time"], rows)


@app.command()
def show(answer: Id, data: Data = None) -> None:
    """Show one answer as JSON: its versions and the draft under review · 查看公开答复"""
    system = system_of(data)
    with system.store.read() as work:
        put_json(view_of(system, work, answer, ANSWERS))


@app.command("open")
def open_(file: File, as_: As, data: Data = None) -> None:
    """Begin an answer with its first draft; see config/answer-example.toml · 起草公开答复"""
    system = system_of(data)
    _drafted(answers.open_answer(system.desk, table_in(file), acting(system, as_)))


@app.command()
def edit(answer: Id, file: File, as_: As, data: Data = None) -> None:
    """Draft the next version, or the one under review anew · 起草下一版"""
    system = system_of(data)
    _drafted(answers.edit_answer(system.desk, answer, table_in(file), acting(system, as_)))


@app.command()
def check(answer: Id, as_: As, data: Data = None) -> None:
    """Record the secrecy check of the draft · 登记保密审查"""
    system = system_of(data)
    draft = answers.check_answer(system.desk, answer, acting(system, as_))
    _said("checked", answer=answer, version=draft.version)


@app.command()
def sign(answer: Id, as_: As, data: Data = None) -> None:
    """Sign the checked draft · 签批"""
    system = system_of(data)
    signoff = answers.sign_answer(system.desk, answer, acting(system, as_))
    _said("signed", answer=answer, role=signoff.role.value)


@app.command()
def publish(answer: Id, as_: As, data: Data = None) -> None:
    """Publish the signed draft on page and feeds · 公布"""
    from geowarn.scheduler import publish_all  # brings the ticks along, which no other command needs

    system = system_of(data)
    made = answers.publish_answer(system.desk, answer, acting(system, as_))
    publish_all(system)
    page = f"{system.settings.site.public_url}/answers/{answer}/"
    _said("published", answer=answer, version=made.version, page=page)
