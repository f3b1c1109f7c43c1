"""The second factor at the command line: given as an option, or asked for on a terminal where it is needed."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from geowarn.bootstrap import System
from geowarn.catalogue import say, terminal_language
from geowarn.domain.warning import Content
from geowarn.pipeline.desk import find_warning, newest

Code = Annotated[str, typer.Option("--code", help="Second factor, asked for where it is needed · 动态口令")]


def asked_code(question: str) -> str:
    """What a person types on a terminal; an empty text where there is none."""
    if not sys.stdin.isatty():
        return ""
    typer.echo(say(f"cli.{question}", terminal_language()), err=True)
    return input()


def code_for(system: System, content: Content | None, code: str) -> str:
    """The code given, else asked for where the policy wants one for this content."""
    needed = content is not None and system.policy.asks_factor(content)
    return asked_code("code") if needed and not code else code


def content_under_review(system: System, warning: str) -> Content | None:
    """What would be signed now."""
    with system.store.read() as work:
        proposal = newest(work, find_warning(work, warning).id)
    return proposal.content if proposal else None


def content_in_force(system: System, warning: str) -> Content | None:
    """What would be retracted now."""
    with system.store.read() as work:
        chain = work.bulletins.of_warning(find_warning(work, warning).id)
    return chain[-1].content if chain else None
