"""One start of the scheduler in a process that kills itself: `crash_child.py FOLDER [PLACE [MOMENT [PART]]]`.

With MOMENT, an ISO 8601 time, the clock stands there; with PART `rings` only what rings is looked after. PLACE is
`module:name` of a function or method, with `-` before it: killed before it runs, with `+`: after it ran.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from geowarn.bootstrap import open_system
from geowarn.scheduler import Scheduler


class Still:
    """A clock that stands."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def now(self) -> datetime:
        return self.moment


def arm(place: str) -> None:
    """Replace the function by one that ends this process as a power cut does."""
    module, _, path = place[1:].partition(":")
    holder: Any = importlib.import_module(module)
    *above, name = path.split(".")
    for part in above:
        holder = getattr(holder, part)
    real: Callable[..., Any] = getattr(holder, name)

    def dying(*arguments: Any, **named: Any) -> None:
        if place[0] == "+":
            real(*arguments, **named)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(holder, name, dying)


def main(folder: str, place: str = "", moment: str = "", part: str = "") -> None:
    if place:
        arm(place)
    still = Still(datetime.fromisoformat(moment)) if moment else None
    system = open_system(Path(folder), still)
    scheduler = Scheduler(system)
    if part == "rings":
        scheduler.escalate()
    else:
        scheduler.take_in()
        scheduler.assess_newest()
    system.store.dispose()


if __name__ == "__main__":
    main(*sys.argv[1:])
