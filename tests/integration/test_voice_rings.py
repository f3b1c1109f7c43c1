"""What a flood of reports does: danger rings however many come, the room is bounded, what can wait is turned away."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.integration.conftest import SettableClock
from tests.integration.voice_desk import HAIYANG, LIMITS, QIXIA, TEXT, heard, incoming, tasks

from geowarn.bootstrap import System
from geowarn.domain.errors import Refused
from geowarn.domain.task import Task
from geowarn.domain.voice import Said, VoiceState
from geowarn.domain.voice_limits import SayLimits
from geowarn.pipeline import voice_tasks
from geowarn.pipeline.actor import Actor
from geowarn.pipeline.escalation_acts import acknowledge_task
from geowarn.pipeline.escalation_advance import advance
from geowarn.pipeline.voice_acts import act
from geowarn.pipeline.voice_keeping import erase, watch_voices
from geowarn.pipeline.voice_tasks import DANGER, FORM, FULL, MORE, MOST_RINGING, MOST_TASKS
from geowarn.pipeline.voices import receive
from geowarn.ports import VoiceChoice

Officer = Callable[[str], Actor]


def test_a_flood_of_people_is_taken_and_rings_once_a_place_with_bounded_tasks(demo_system: System) -> None:
    """After an event everybody writes: nothing is turned away, and the officer can still find the next place."""
    for number in range(MOST_TASKS + 10):
        heard(demo_system, number)
    heard(demo_system, 900, area=QIXIA)
    heard(demo_system, 901, sign="rockfall")
    for number in (902, 903):
        heard(demo_system, number, area="")  # nobody says where: each may be another place
    found = tasks(demo_system)
    assert len(found) <= MOST_TASKS + MOST_RINGING
    assert [kind for kind, _ in found].count(DANGER) == 5
    with demo_system.store.read() as work:
        assert len(work.voices.list(VoiceChoice(areas=frozenset({HAIYANG})))) == MOST_TASKS + 11


def test_a_place_rings_however_many_ring_already(
    demo_system: System, officer: Officer, settable_clock: SettableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two addresses can fill the tasks; what somebody sees after that must not lie there in silence."""

    def more() -> list[Task]:
        with demo_system.store.read() as work:
            return [task for task in work.tasks.pending() if task.kind == MORE]

    monkeypatch.setattr(voice_tasks, "MOST_RINGING", 2)
    monkeypatch.setattr(voice_tasks, "MOST_TASKS", 3)
    for number in range(5):
        heard(demo_system, number, area="")
    (task,) = more()
    assert sorted(kind for kind, _ in tasks(demo_system)) == ["voice", DANGER, DANGER, MORE]
    advance(demo_system.desk)
    with demo_system.store.read() as work:
        assert MORE in {one.kind for one in work.escalations.open()}
    acknowledge_task(demo_system.desk, task.id, officer("duty"))
    heard(demo_system, 100, area=QIXIA)
    assert more()[0].id == task.id  # somebody is just looking through them
    settable_clock.advance(minutes=11)
    heard(demo_system, 101, area=HAIYANG)
    assert more()[0].id != task.id
    for number in range(3, 8):
        act(demo_system.desk, f"2026-{number:04d}", "take", officer("duty"))
    assert watch_voices(demo_system.desk, LIMITS) == (MORE,)
    assert more() == []


def test_marks_far_apart_in_one_county_are_two_places(demo_system: System) -> None:
    def marked(number: int, lon: float, text: str = TEXT) -> VoiceState:
        return heard(demo_system, number, said=Said(text, "", lon, 36.78)).voice.state

    assert [marked(1, 121.16), marked(2, 121.161, f"{TEXT}！！")] == [VoiceState.NEW, VoiceState.FOLDED]
    marked(3, 121.17, "山坡上又裂了一道缝")
    assert sorted(kind for kind, _ in tasks(demo_system)) == ["voice", DANGER]
    assert marked(4, 121.30) is VoiceState.NEW  # the same words out of another valley
    assert [kind for kind, _ in tasks(demo_system)].count(DANGER) == 2


def test_what_nothing_rings_for_rings_while_another_place_is_in_hand(
    demo_system: System, officer: Officer, settable_clock: SettableClock
) -> None:
    first, second = heard(demo_system, 1), heard(demo_system, 2, area=QIXIA)
    third = heard(demo_system, 3, area=QIXIA)
    act(demo_system.desk, second.number, "close", officer("duty"), "已查看")  # the first of its place only
    heard(demo_system, 4)
    settable_clock.advance(minutes=31)
    assert watch_voices(demo_system.desk, LIMITS) == ("observation",)  # one rings already: that is looked at first
    act(demo_system.desk, first.number, "take", officer("duty"))
    assert watch_voices(demo_system.desk, LIMITS) == (third.number,)
    act(demo_system.desk, third.number, "take", officer("duty"))
    assert watch_voices(demo_system.desk, LIMITS) == ()  # the fourth is of the place that the first is about


def test_spam_from_one_address_and_what_can_wait_are_turned_away_first(demo_system: System) -> None:
    few = SayLimits(per_address=2, per_address_in_force=3, busy=4, most=6, photos=1)
    desk = demo_system.desk
    for number in range(2):
        receive(desk, incoming(number, address="spam"), few)
    with pytest.raises(Refused, match=r"say\.too-many"):
        receive(desk, incoming(2, address="spam"), few)
    receive(desk, incoming(3, address="spam", in_force=True), few)  # a mobile network in an emergency
    receive(desk, incoming(4, photo=b"\x89PNG one"), few)
    with pytest.raises(Refused, match=r"say\.busy"):
        receive(desk, incoming(5, kind="question", sign=""), few)
    assert not receive(desk, incoming(6, photo=b"\x89PNG two"), few).voice.photo  # the words are taken all the same
    receive(desk, incoming(7), few)
    with pytest.raises(Refused, match=r"say\.busy"):
        receive(desk, incoming(8), few)
    assert receive(desk, incoming(7), few).repeated  # what had arrived is told so, whatever comes


def test_the_room_is_bounded_and_its_end_is_a_task(demo_system: System, officer: Officer) -> None:
    small = SayLimits(standing=4, photo_bytes=100)
    desk = demo_system.desk
    receive(desk, incoming(1, photo=b"\x89PNG " + b"1" * 30), small)
    assert watch_voices(desk, small) == ()
    assert receive(desk, incoming(2, photo=b"\x89PNG " + b"2" * 30), small).voice.photo
    assert watch_voices(desk, small) == (FULL,)
    assert (FULL, FORM) in tasks(demo_system)
    with pytest.raises(Refused, match=r"say\.busy"):
        receive(desk, incoming(3, kind="question", sign=""), small)
    assert not receive(desk, incoming(4, photo=b"\x89PNG 3"), small).voice.photo
    receive(desk, incoming(5), small)
    with pytest.raises(Refused, match=r"say\.busy"):
        receive(desk, incoming(6), small)
    for number in ("2026-0001", "2026-0002", "2026-0003"):
        erase(desk, number, officer("disclosure"))
    assert watch_voices(desk, small) == (FULL,)
    assert (FULL, FORM) not in tasks(demo_system)
