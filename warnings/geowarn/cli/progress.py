"""A progress bar on the error stream, so that what is printed can still be piped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from geowarn.catalogue import say, terminal_language


@contextmanager
def advancing(total: int) -> Iterator[Callable[[int, int], None]]:
    """A bar that shows runs done of `total`; call it with (done, total). Nothing is drawn into a pipe."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(say("rules.progress", terminal_language()), total=total)
        yield lambda done, _all: bar.update(task, completed=done)
