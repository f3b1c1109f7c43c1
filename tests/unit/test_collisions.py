"""What only met another transaction is done again, by whoever is told something once; all else is not."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import cast

import pytest

from geowarn import cli, worker
from geowarn.bootstrap import System
from geowarn.domain.errors import Collided
from geowarn.pipeline.collisions import until_through


class Act:
    """Raises these one after the other, then goes through."""

    def __init__(self, *faults: Exception) -> None:
        self.faults, self.tries = list(faults), 0

    def __call__(self) -> str:
        self.tries += 1
        if self.faults:
            raise self.faults.pop(0)
        return "through"


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    taken: list[float] = []
    monkeypatch.setattr("geowarn.pipeline.collisions.time.sleep", taken.append)
    return taken


def test_what_collides_is_done_again_after_a_pause_that_grows(pauses: list[float]) -> None:
    act = Act(Collided(), Collided())
    assert (until_through(act), act.tries) == ("through", 3)
    assert pauses == sorted(pauses)
    assert len(pauses) == 2


def test_what_always_collides_is_told_in_the_end(pauses: list[float]) -> None:
    act = Act(*[Collided()] * 9)
    with pytest.raises(Collided):
        until_through(act)
    assert act.tries == len(pauses) + 1
    assert sum(pauses) < 2  # a provider waits for our answer meanwhile


def test_any_other_fault_is_told_at_once(pauses: list[float]) -> None:
    act = Act(ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        until_through(act)
    assert (act.tries, pauses) == (1, [])


@pytest.mark.parametrize(
    ("job", "busy", "pause"),
    [
        (Act(Collided()), True, worker.AFTER_COLLISION_SECONDS),
        (Act(ZeroDivisionError()), False, worker.AFTER_FAULT_SECONDS),
    ],
    ids=["collided", "fault"],
)
def test_a_lane_that_collided_goes_on_at_once(
    monkeypatch: pytest.MonkeyPatch, job: Callable[[], object], busy: bool, pause: float
) -> None:
    ours, waited = worker.Worker(cast(System, None)), list[float]()
    monkeypatch.setattr(ours._stop, "wait", waited.append)
    assert ours._guarded(job) is busy
    assert waited == [pause]


def test_a_command_that_collided_says_to_run_it_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["geowarn"])
    monkeypatch.setenv("LANG", "en_US.UTF-8")
    monkeypatch.setattr(cli, "app", Act(Collided()))
    with pytest.raises(SystemExit):
        cli.main()
    assert capsys.readouterr().err.strip().endswith("Run the command again.")
