"""The roster's tick in a process that kills itself at a named place, as in `crash_child`: `… FOLDER [PLACE]`."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.integration.crash_child import arm

from geowarn.bootstrap import open_system
from geowarn.scheduler import Scheduler


def main(folder: str, place: str = "") -> None:
    if place:
        arm(place)
    system = open_system(Path(folder))
    Scheduler(system).watch_roster()
    system.store.dispose()


if __name__ == "__main__":
    main(*sys.argv[1:])
