"""House rule 10: three places refuse an exercise to a live target, each shown alone, the other two out of the way."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from geowarn.domain.area import Area, AreaKind
from geowarn.domain.bulletin import Bulletin
from geowarn.domain.dispatch import Dispatch, DispatchState, Outcome
from geowarn.domain.exercise import TARGET, Exercise, ExerciseStatus
from geowarn.domain.level import Level
from geowarn.domain.package import Artefact, Package
from geowarn.domain.recipient import Recipient
from geowarn.domain.warning import Act, AreaLevel, Content, HazardWarning, Proposal, Series, WarningStatus
from geowarn.pipeline.deliver import run_due
from geowarn.pipeline.lane import Lane
from geowarn.ports import BulletinDraft, Delivery, Limits, Message, Receipt
from geowarn.ports import Target as PortTarget
from geowarn.security import FileVault
from geowarn.store.unit_of_work import SqlStore

NOW = datetime(2026, 7, 22, 18, 33, tzinfo=UTC)
CITY = {"red": Area("red", AreaKind.COUNTY, "红县", "Red")}
LIVE, GROUP = "+12025550001", "+12025550002"


class Standing:
    def now(self) -> datetime:
        return NOW


class Leaky:
    """A channel without any look at what it carries: the third place is out of the way."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.limits = Limits(("zh",), None, repeat_is_safe=True, batch=500, concurrency=2, exercises=True)
        self.had: list[str] = []

    def prepare(self, draft: BulletinDraft) -> Message:
        return Message(self.name, ())

    def send(self, delivery: Delivery, target: PortTarget) -> Receipt:
        self.had.append(target.address)
        return Receipt(Outcome.DELIVERED)


class Desk:
    """A store with one number of the public, one of the group, and an exercise's bulletin already released."""

    def __init__(self, store: SqlStore, vault: FileVault) -> None:
        self.store, self.vault = store, vault
        with store.begin() as work:
            work.areas.save_all(CITY.values())
            work.recipients.add_all([self._person(LIVE, "resident"), self._person(GROUP, "exercise")])
            work.commit()

    def _person(self, number: str, role: str) -> Recipient:
        key = self.vault.key_of(number)
        return Recipient(f"r{number}", key, self.vault.seal(number), "masked", "red", "zh", role, "asked", NOW)

    def release(self, series: Series, act: Act = Act.ISSUE, running: bool = True, name: int = 1) -> Bulletin:
        content = Content(act, series, (AreaLevel("red", Level.RED),), NOW, NOW + timedelta(hours=2), NOW)
        files = tuple(Artefact(f"{name}/red.zh.txt", "text/plain", b"x") for name in ("broadcast", "sms", "website"))
        package = Package(content.as_json(), files)
        bulletin = Bulletin(
            f"b{name}", f"w{name}", f"p{name}", series, 2026, name, f"{name}号", f"ex-2026-{name:03d}", NOW, content,
            package.sha256, {},
            {a.path: a.sha256 for a in files},
        )  # fmt: skip
        with self.store.begin() as work:
            work.warnings.add(HazardWarning(f"w{name}", series, WarningStatus.IN_FORCE, NOW))
            work.proposals.add(Proposal(f"p{name}", f"w{name}", 1, content, package.sha256, "x", NOW), package)
            work.bulletins.add(bulletin, files)
            if running:
                work.exercises.add(
                    Exercise("x1", 2026, 1, "试", "try", "duty", NOW, NOW + timedelta(hours=1), "0" * 64, "w1")
                )
            work.commit()
        return bulletin

    def row(self, channel: str, key: str, bulletin: str = "b1") -> None:
        """A dispatch as a broken first place would have written it."""
        name = f"d-{channel}" if bulletin == "b1" else f"d-{channel}-{bulletin}"
        made = Dispatch(
            name, bulletin, channel, key, f"{channel}/red.zh.txt", 1, f"{bulletin}:{channel}", 30, NOW,
            NOW + timedelta(hours=2),
        )  # fmt: skip
        with self.store.begin() as work:
            work.dispatches.add_all([made])
            work.commit()

    def sent(self, channel: Leaky, trials: frozenset[str] = frozenset()) -> Dispatch:
        lane = Lane(self.store, channel, self.vault, Standing(), "me", trials=trials)
        lane.drain()
        lane.close()
        with self.store.read() as work:
            found = work.dispatches.get(f"d-{channel.name}")
        assert found is not None
        return found


@pytest.fixture
def desk(store: SqlStore, vault: FileVault) -> Desk:
    return Desk(store, vault)


@pytest.mark.parametrize(("channel", "key"), [("sms", LIVE), ("broadcast", "city-tv"), ("website", "public")])
def test_the_lane_alone_refuses_a_live_target(desk: Desk, channel: str, key: str) -> None:
    """The second place: the row is there and the channel would carry it."""
    desk.release(Series.EXERCISE)
    carrier = Leaky(channel)
    desk.row(channel, desk.vault.key_of(key) if channel == "sms" else key)
    row = desk.sent(carrier, frozenset({"test-tv"}))
    assert carrier.had == []
    assert (row.state, row.reason) == (DispatchState.FAILED, "deliver.exercise-live-target")


@pytest.mark.parametrize(("channel", "key"), [("sms", GROUP), ("broadcast", "test-tv"), ("website", TARGET)])
def test_the_lane_carries_an_exercise_to_a_test_target(desk: Desk, channel: str, key: str) -> None:
    desk.release(Series.EXERCISE)
    carrier = Leaky(channel)
    desk.row(channel, desk.vault.key_of(key) if channel == "sms" else key)
    assert desk.sent(carrier, frozenset({"test-tv"})).state is DispatchState.DELIVERED
    assert carrier.had == [key]


def test_a_lane_that_was_told_of_no_tests_refuses_every_station(desk: Desk) -> None:
    desk.release(Series.EXERCISE)
    desk.row("broadcast", "test-tv")
    carrier = Leaky("broadcast")
    run_due(desk.store, [carrier], desk.vault, Standing(), "me")
    assert carrier.had == []


def test_content_of_an_exercise_under_a_real_number_is_refused_too(desk: Desk) -> None:
    bulletin = desk.release(Series.EXERCISE)
    assert bulletin.content.series is Series.EXERCISE
    desk.row("broadcast", "city-tv")
    lane = Lane(desk.store, Leaky("broadcast"), desk.vault, Standing(), "me")
    with desk.store.read() as work:
        row = work.dispatches.get("d-broadcast")
        assert row is not None
        job = lane.loader.job(work, row)
    lane.close()
    assert job.delivery is not None
    disguised = replace(job, delivery=replace(job.delivery, bulletin=replace(bulletin, series=Series.REAL)))
    assert lane._call(disguised, NOW) is not None
    assert not disguised.trial


def test_a_fault_of_an_exercise_calls_a_person_and_holds_up_nothing_real(desk: Desk) -> None:
    desk.release(Series.EXERCISE)
    desk.row("broadcast", "city-tv")
    carrier = Leaky("broadcast")
    lane = Lane(desk.store, carrier, desk.vault, Standing(), "me")
    lane.drain()
    with desk.store.read() as work:
        tasks = [(task.kind, task.facts["reason"]) for task in work.tasks.pending()]
    assert tasks == [("channel-fault", "deliver.exercise-live-target")]
    desk.release(Series.REAL, name=2, running=False)
    desk.row("broadcast", "city-tv", "b2")
    lane._looked = 0.0  # what is due is read again at once
    lane.drain()
    lane.close()
    assert carrier.had == ["city-tv"]


def test_nothing_of_an_exercise_is_sent_once_it_is_over(desk: Desk) -> None:
    desk.release(Series.EXERCISE, running=False)
    desk.row("broadcast", "test-tv")
    carrier = Leaky("broadcast")
    assert desk.sent(carrier, frozenset({"test-tv"})).state is DispatchState.EXPIRED_UNSENT
    assert carrier.had == []


def test_the_notice_of_its_end_is_sent_although_it_is_over(desk: Desk) -> None:
    desk.release(Series.EXERCISE, Act.CANCEL, running=False)
    desk.row("broadcast", "test-tv")
    assert desk.sent(Leaky("broadcast"), frozenset({"test-tv"})).state is DispatchState.DELIVERED


def test_somebody_of_the_group_who_left_the_public_list_still_takes_part(desk: Desk) -> None:
    """The two registrations of one number are apart: leaving one ends only that one."""
    key = desk.vault.key_of(LIVE)
    with desk.store.begin() as work:
        work.recipients.opt_out(key, NOW)
        both = replace(desk._person(LIVE, "exercise"), id="r-both", area="red2")
        work.areas.save_all([Area("red2", AreaKind.COUNTY, "乙县", "Second")])
        work.recipients.add_all([both])
        work.commit()
    desk.release(Series.EXERCISE)
    desk.row("sms", key)
    assert desk.sent(Leaky("sms")).state is DispatchState.DELIVERED


def test_a_real_message_never_uses_the_registration_of_an_exercise(desk: Desk) -> None:
    desk.release(Series.REAL, running=False)
    desk.row("sms", desk.vault.key_of(GROUP))
    carrier = Leaky("sms")
    row = desk.sent(carrier)
    assert (row.state, carrier.had) == (DispatchState.FAILED, [])


def test_only_one_exercise_runs_and_its_states_are_closed(desk: Desk, tmp_path: Path) -> None:
    from geowarn.domain.errors import Refused

    desk.release(Series.EXERCISE)
    other: dict[str, Any] = {"id": "x2", "serial": 2}
    with desk.store.begin() as work:
        held = work.exercises.running()
        assert held is not None
        with pytest.raises(Refused) as refused:
            work.exercises.add(replace(held, **other))
    assert refused.value.key == "exercise.already-running"
    with desk.store.begin() as work:
        work.exercises.save(replace(held, status=ExerciseStatus.ENDED, ended_at=NOW, ended_by="x", reason="r"))
        work.exercises.add(replace(held, **other))
        work.commit()
