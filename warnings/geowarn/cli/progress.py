"""A progress bar on the error stream, so that what is printed can still be piped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from geowarn.catalogue import say, terminal_language


@contextmanager
def advancing(total: int, what: str = "") -> Iterator[Callable[[int, int], None]]:
    """A bar that shows how much of `total` is done; call it with (done, total). Nothing is drawn into a pipe.

    `what` stands before it; empty: that runs are assessed again.
    """
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(what or say("rules.progress", terminal_language()), total=total)
        yield lambda done, all_of: bar.update(task, completed=done, total=all_of)
