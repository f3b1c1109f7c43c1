"""One look of the scheduler that fails silences none of those after it (house rule 16)."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from geowarn import scheduler
from geowarn.domain.errors import Refused
from geowarn.scheduler import Scheduler

LOOKS = {
    "watch": ("audit", "watch_silence", "watch_certificate", "watch_sources"),
    "escalate": ("advance_calls", "advance"),
    "watch_roster": ("ask_people", "watch_roster"),
    "expire": ("ask_before_end", "close_finished", "watch_promises", "watch_voices", "end_validity"),
    "tidy": ("keep_voices", "keep_calls"),
}
FAULTS = (Refused("store.busy", database="x", seconds=30), ZeroDivisionError())


@pytest.mark.parametrize("fault", FAULTS, ids=["refused", "fault"])
@pytest.mark.parametrize(("job", "failing"), [(job, act) for job, acts in LOOKS.items() for act in acts])
def test_a_look_that_fails_keeps_no_other_from_being_taken(
    monkeypatch: pytest.MonkeyPatch, job: str, failing: str, fault: Exception
) -> None:
    looked: list[str] = []

    def look(name: str) -> Any:
        def act(*_given: object) -> bool:
            looked.append(name)
            if name == failing:
                raise fault
            return False

        return act

    for name in LOOKS[job]:
        monkeypatch.setattr(scheduler, name, look(name))
    monkeypatch.setattr(scheduler, "ends_at", lambda _folder: None)
    ours: Any = Scheduler.__new__(Scheduler)
    parts = ("desk", "roster_desk", "store", "clock", "keys_dir")
    settings = SimpleNamespace(say=SimpleNamespace(limits=None))
    ours.system = SimpleNamespace(sources={}, settings=settings, tidy=lambda: None, **dict.fromkeys(parts))
    getattr(ours, job)()
    assert tuple(looked) == LOOKS[job]
