"""The tick that ends an exercise, cut off after each of its writes: nothing real is touched, and all is there once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from tests.integration.conftest import SettableClock
from tests.integration.exercise_desk import LAIYANG, ExerciseDesk

from geowarn.bootstrap import System
from geowarn.domain.exercise import ExerciseStatus
from geowarn.domain.level import Level
from geowarn.domain.warning import Act, WarningStatus
from geowarn.pipeline.actor import Actor
from geowarn.pipeline.exercise_end import keep_exercise
from geowarn.pipeline.proof import verify
from geowarn.pipeline.propose import propose_by_hand
from geowarn.pipeline.release import release
from geowarn.pipeline.signoff import sign
from geowarn.store.repositories.dispatches import SqlDispatches
from geowarn.store.repositories.exercise import SqlExercises
from geowarn.store.repositories.proof import SqlLedger
from geowarn.store.repositories.release import SqlBulletins
from geowarn.store.repositories.review import SqlProposals
from geowarn.store.unit_of_work import SqlUnitOfWork

WRITES: tuple[tuple[type, str], ...] = (
    (SqlExercises, "save"),
    (SqlProposals, "add"),
    (SqlBulletins, "add"),
    (SqlDispatches, "add_all"),
    (SqlLedger, "append"),
    (SqlUnitOfWork, "commit"),
)


class Cut(BaseException):
    """The power is gone: nothing that handles faults sees it."""


@dataclass
class Knife:
    """Cuts after the write of this number; with 0 never."""

    at: int = 0
    written: int = 0
    committed: bool = False
    places: list[str] = field(default_factory=list)

    def watch(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for holder, name in WRITES:
            monkeypatch.setattr(holder, name, self._cutting(holder, name))

    def _cutting(self, holder: type, name: str) -> Callable[..., Any]:
        real = getattr(holder, name)

        def wrapped(*given: Any, **named: Any) -> Any:
            done = real(*given, **named)
            self.written += 1
            if self.written == self.at:
                self.committed = name == "commit"
                self.places.append(f"{holder.__name__}.{name}")
                raise Cut
            return done

        return wrapped


@pytest.fixture
def desk(demo_system: System, officer: Callable[[str], Actor], settable_clock: SettableClock) -> ExerciseDesk:
    made = ExerciseDesk(demo_system, officer, settable_clock)
    made.until_middle_of_shift()
    return made


def real_one(desk: ExerciseDesk) -> str:
    """A real warning in force."""
    inner, duty = desk.system.desk, desk.officer("duty")
    name = propose_by_hand(inner, {LAIYANG: Level.YELLOW}, 24, "裂缝", "村干部来电", duty).warning_id
    for who in ("duty", "leader", "observatory"):
        sign(inner, name, desk.officer(who))
    release(inner, name, desk.officer("leader"))
    return name


def of_real(desk: ExerciseDesk, name: str) -> tuple[object, ...]:
    """Everything that the store holds of a real warning."""
    with desk.system.store.read() as work:
        chain = work.bulletins.of_warning(name)
        rows = tuple(work.dispatches.of_bulletin(bulletin.id) for bulletin in chain)
        entries = work.ledger.entries(subject=name)
        return work.warnings.get(name), work.proposals.of_warning(name), chain, rows, entries


def test_a_tick_that_is_cut_off_anywhere_is_made_up_for(desk: ExerciseDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    name = real_one(desk)
    desk.allowed()
    exercise = desk.begin(minutes=5)
    first = desk.released(exercise)
    before = of_real(desk, name)
    desk.clock.advance(minutes=5)

    knife = Knife(at=1)
    with monkeypatch.context() as patched:
        knife.watch(patched)
        while True:
            knife.written, knife.committed = 0, False
            try:
                keep_exercise(desk.system.desk)
            except Cut:
                knife.at = 1 if knife.committed else knife.at + 1
            else:
                break
    assert Counter(knife.places)["SqlUnitOfWork.commit"] == 2, "the end, and the notice of it"
    assert {place.rpartition(".")[2] for place in knife.places} == {write for _, write in WRITES}

    assert of_real(desk, name) == before
    assert desk.now_held(exercise).status is ExerciseStatus.ENDED
    assert [bulletin.act for bulletin in desk.bulletins(exercise)] == [Act.ISSUE, Act.CANCEL]
    assert desk.kinds(exercise.id) == ["exercise.started", "exercise.ended"]
    assert desk.kinds(exercise.warning_id).count("bulletin.released") == 2
    chain = (first, desk.bulletins(exercise)[-1])
    told, notice = (Counter((row.channel, row.target_key) for row in desk.dispatches(one)) for one in chain)
    assert set(notice.values()) == {1}
    assert {key for key in notice if key[0] != "sms"} == {key for key in told if key[0] != "sms"}
    with desk.system.store.read() as work:
        (standing,) = work.warnings.standing(WarningStatus.IN_FORCE)
    assert standing.id == name
    assert verify(desk.system.store)[1] is None
    assert not keep_exercise(desk.system.desk)
