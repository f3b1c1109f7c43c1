"""The roster's tick in a process that kills itself at a named place, as in `crash_child`: `… FOLDER [PLACE]`."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

from geowarn.bootstrap import open_system
from geowarn.scheduler import Scheduler

if __name__ == "__main__":
    if len(sys.argv) > 2:
        importlib.import_module("crash_child").arm(sys.argv[2])  # it lies beside this file
    system = open_system(Path(sys.argv[1]))
    Scheduler(system).watch_roster()
    system.store.dispose()
