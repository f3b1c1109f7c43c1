"""Call and answer: who is called, when the next one is, when people go there, and that nobody ends in silence."""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.conftest import NOON
from tests.unit.calls_bench import (
    AREAS,
    HAIYANG,
    LAIYANG,
    POINT,
    TOWN,
    CallsBench,
    minutes,
    number_of,
    texts_leave,
)

from geowarn.catalogue import explain
from geowarn.domain.area import Area, ancestors, by_code
from geowarn.domain.bulletin import Bulletin
from geowarn.domain.calls import Call, CallAsk, CallKind, CallRules, CallState, CallTally, Via, asks, due
from geowarn.domain.calls_board import Cell, board_of
from geowarn.domain.errors import PermanentFailure, Refused
from geowarn.domain.level import Level
from geowarn.domain.reach import Reach
from geowarn.domain.warning import Act, Series
from geowarn.pipeline import calls_advance
from geowarn.pipeline.call_answers import answered_call
from geowarn.pipeline.calls import asked
from geowarn.pipeline.escalation_acts import acknowledge_task
from geowarn.pipeline.escalation_advance import advance
from geowarn.pipeline.notice_address import sealed_number
from geowarn.policy_calls import call_rules
from geowarn.security import FileVault
from geowarn.store.unit_of_work import SqlStore

COUNTY, TOWNSHIP, WARDEN, SITE = CallKind
KNOWN = by_code(AREAS)


@pytest.fixture
def bench(store: SqlStore, vault: FileVault) -> CallsBench:
    made = CallsBench(store, vault)
    made.contacts(
        room=(COUNTY, HAIYANG, 2),
        town=(TOWNSHIP, TOWN, 3),
        warden=(WARDEN, POINT, 1),
        school=(SITE, HAIYANG, 2),
        other=(COUNTY, LAIYANG, 2),
    )
    return made


def one_call(**other: object) -> Call:
    made = Call(
        "ca-1", "b-1", "w-1", "room", HAIYANG, HAIYANG, COUNTY, "值班室", "room", "", Level.RED, NOON,
        timedelta(minutes=3), minutes(10), minutes(600),
    )  # fmt: skip
    return replace(made, **other)  # type: ignore[arg-type]


def ask(number: int, at: float, **other: object) -> CallAsk:
    return replace(CallAsk("ca-1", number, "k", "+1 *** *** **42", minutes(at), None, minutes(at)), **other)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("asks", "contacts", "at", "step"),
    [
        ([ask(1, 0)], (1, 2), 2.9, "wait"),
        ([ask(1, 0)], (1, 2), 3, 2),
        ([ask(1, 0), ask(2, 3)], (1, 2), 5.9, "wait"),
        ([ask(1, 0), ask(2, 3)], (1, 2), 6, None),
        ([ask(1, 0)], (1,), 3, None),
        ([ask(1, 0)], (), 3, None),
        ([ask(1, 0)], (1, 4), 3, 4),
        ([ask(1, 0)], (1, 2, 3), 9, 2),  # ticks stood still: the next one, not two at once
        ([ask(1, 0)], (1, 2, 3), 10, None),  # too late for another contact
        ([ask(1, 0, sent_at=minutes(2))], (1, 2), 4.9, "wait"),
        ([ask(1, 0, sent_at=minutes(2))], (1, 2), 5, 2),
        ([ask(1, 0, sent_at=None)], (1, 2), 9.9, "wait"),  # thousands before it: nobody has had it yet
        ([ask(1, 0, sent_at=None)], (1, 2), 10, None),
        ([ask(1, 0, failed_at=minutes(0.1))], (1, 2), 0.2, 2),  # its text cannot arrive: nobody waits
        ([ask(1, 0, failed_at=minutes(0.1))], (1,), 0.2, None),
    ],
)
def test_silence_calls_the_next_and_at_its_end_people_go(
    asks: list[CallAsk], contacts: tuple[int, ...], at: float, step: object
) -> None:
    found = due(one_call(), asks, contacts, minutes(at))
    assert (found.ask if found else "wait") == step


@pytest.mark.parametrize(
    "done",
    [{"answered_at": minutes(1)}, {"turned_at": minutes(1)}, {"ended_at": minutes(1)}],
    ids=lambda d: next(iter(d)),
)
def test_nothing_is_due_for_a_call_that_is_settled(done: dict[str, object]) -> None:
    assert due(one_call(**done), [ask(1, 0)], (1, 2), minutes(60)) is None


def test_a_duty_room_answers_for_what_lies_inside_its_area() -> None:
    levels = {TOWN: Level.ORANGE}
    reach = Reach(levels, KNOWN)
    assert asks(COUNTY, HAIYANG, reach) is Level.ORANGE
    assert asks(SITE, HAIYANG, reach) is Level.NONE
    assert asks(WARDEN, POINT, reach) is Level.ORANGE
    assert asks(COUNTY, LAIYANG, reach) is Level.NONE


def test_a_release_calls_the_first_contact_of_whoever_its_level_asks(bench: CallsBench) -> None:
    bench.released({HAIYANG: Level.RED, LAIYANG: Level.YELLOW})
    assert set(bench.calls()) == {"room", "town", "warden", "school", "other"}
    assert {(ask.number, ask.asked_at) for ask in bench.asks()} == {(1, NOON)}
    assert len(bench.notices()) == 5
    assert bench.kinds() == {"call.made": 1}
    bench.released({HAIYANG: Level.YELLOW}, warning_id="w-2")
    assert set(bench.calls("w-2")) == {"room"}


def test_an_update_calls_who_is_newly_under_a_level_or_whose_level_rose(bench: CallsBench) -> None:
    bench.released({HAIYANG: Level.ORANGE})
    first = bench.calls()
    bench.tick(minutes=4)
    later = bench.released({HAIYANG: Level.ORANGE, LAIYANG: Level.YELLOW}, Act.UPDATE)
    assert {call.place for call in bench.calls().values() if call.bulletin_id == later.id} == {"other"}
    assert bench.calls()["room"].id == first["room"].id
    risen = bench.released({HAIYANG: Level.RED, LAIYANG: Level.YELLOW}, Act.UPDATE)
    again = {call.place for call in bench.calls().values() if call.bulletin_id == risen.id}
    assert again == {"room", "town", "warden", "school"}
    assert {call.state for call in bench.calls().values()} == {CallState.CALLING}
    lower = bench.released({HAIYANG: Level.YELLOW, LAIYANG: Level.YELLOW}, Act.UPDATE)
    assert set(bench.calls()) == {"room", "other"}
    assert not [call for call in bench.calls().values() if call.bulletin_id == lower.id]
    end = bench.clock.advance(hours=2)
    bench.released({HAIYANG: Level.YELLOW, LAIYANG: Level.YELLOW}, Act.EXTEND)
    assert {call.until for call in bench.calls().values()} == {end + timedelta(hours=24)}
    assert set(bench.calls()) == {"room", "other"}


@pytest.mark.parametrize("act", [Act.LIFT, Act.CANCEL, Act.RETRACT])
def test_the_end_of_a_warning_calls_nobody_and_ends_what_waits(bench: CallsBench, act: Act) -> None:
    bench.released({HAIYANG: Level.RED})
    bench.tick(minutes=11)
    assert [task.kind for task in bench.tasks()] == ["calls-unanswered"]
    bench.released({HAIYANG: Level.RED}, act)
    assert bench.calls() == {}
    assert bench.tasks() == []
    assert bench.kinds()["call.ended"] == 1


def test_silence_brings_the_list_of_doors_within_ten_minutes(bench: CallsBench) -> None:
    bench.released({HAIYANG: Level.RED})
    for _ in range(20):
        bench.tick(seconds=30)
    assert bench.clock.now() == minutes(10)
    assert set(bench.states().values()) == {CallState.TURNED}
    assert Counter(ask.number for ask in bench.asks()) == {1: 4, 2: 3, 3: 1}
    assert [(task.kind, task.subject, task.facts["places"]) for task in bench.tasks()] == [
        ("calls-unanswered", "w-1", {"county": 1, "site": 1, "township": 1, "warden": 1})
    ]
    assert bench.kinds()["call.silent"] == 3
    before = bench.kinds()
    bench.tick(minutes=30)
    assert bench.kinds() == before


def test_places_that_turn_later_ring_again_for_who_has_the_task_in_hand(bench: CallsBench) -> None:
    bench.contacts(school=(SITE, HAIYANG, 1), warden=(WARDEN, POINT, 2), room=(COUNTY, HAIYANG, 4))
    officer = bench.on_duty()

    def now(after: float) -> tuple[list[str], str | None]:
        bench.tick(minutes=after)
        advance(bench.desk())
        (task,) = bench.tasks()
        with bench.store.read() as work:
            return [one.outcome for one in work.escalations.of_task(task.id)], task.acknowledged_by

    def take() -> None:
        acknowledge_task(bench.desk(), bench.tasks()[0].id, officer)

    bench.released({HAIYANG: Level.RED})
    assert now(3) == ([""], None), "the school has one contact"
    take()
    assert now(1) == ([""], "duty"), "nothing is new"
    assert now(2) == (["joined", ""], None), "the warden's second contact said nothing"
    assert bench.tasks()[0].facts == {"places": {"site": 1, "warden": 1}}
    bench.clock.advance(seconds=30)
    take()
    assert now(3.5) == (["joined", "joined", ""], None), "the room has four contacts, and ten minutes"
    take()
    assert now(30) == (["joined", "joined", ""], "duty")
    assert bench.tasks()[0].facts == {"places": {"county": 1, "site": 1, "warden": 1}}


def test_whoever_has_just_taken_the_task_has_a_minute_before_it_rings_again(bench: CallsBench) -> None:
    bench.contacts(school=(SITE, HAIYANG, 1), warden=(WARDEN, POINT, 1), room=(COUNTY, HAIYANG, 1))
    officer = bench.on_duty()
    bench.released({HAIYANG: Level.RED})
    held = []
    for place in ("school", "warden", "room"):
        with bench.store.begin() as work:
            work.calls.fail(bench.calls()[place].id, 1, bench.clock.now())
            work.commit()
        bench.tick(seconds=10)
        advance(bench.desk())
        (task,) = bench.tasks()
        held.append(task.acknowledged_by)
        if place == "school":
            acknowledge_task(bench.desk(), task.id, officer)
    assert held == [None, "duty", "duty"]
    bench.tick(seconds=60)
    assert bench.tasks()[0].acknowledged_by is None


def test_an_answer_by_text_counts_for_every_place_that_number_was_called_for(bench: CallsBench) -> None:
    bench.released({HAIYANG: Level.RED})

    def heard(number: str, text: str) -> bool:
        return answered_call(bench.store, bench.vault, bench.clock, number, text)

    assert not heard(number_of("room", 2), "1")  # not called yet
    assert not heard(number_of("room", 1), "什么事")
    assert heard(number_of("room", 1), " 收到。")
    assert bench.states()["room"] is CallState.ANSWERED
    bench.tick(minutes=11)
    assert bench.states()["town"] is CallState.TURNED
    assert heard(number_of("town", 1), "1")  # late, and yet an answer
    for place in ("warden", "school"):
        assert heard(number_of(place, 1), "1")
    assert set(bench.states().values()) == {CallState.ANSWERED}
    assert bench.tasks() == []
    with bench.store.read() as work:
        said = [entry for entry in work.ledger.entries() if entry.kind == "call.answered"]
    assert len(said) == 4
    assert not [entry for entry in said if "555" in entry.payload]


def many(bench: CallsBench, count: int) -> None:
    bench.contacts(room=(COUNTY, HAIYANG, 2), **{f"s{number}": (SITE, HAIYANG, 2) for number in range(count)})


def test_a_release_and_a_turn_take_as_many_statements_for_many_places_as_for_few(bench: CallsBench) -> None:
    taken = []
    for name, count in (("w-1", 3), ("w-2", 30)):
        many(bench, count)
        with bench.counted() as released:
            bench.released({HAIYANG: Level.RED}, warning_id=name)
        bench.clock.advance(minutes=3)
        with bench.counted() as turn:
            bench.tick()
        assert len(bench.asks(name)) == len(bench.notices(name)) == 2 * (count + 1)
        taken.append((len(released), len(turn)))
        bench.released({HAIYANG: Level.RED}, Act.LIFT, warning_id=name)
    assert taken[0] == taken[1]


def test_what_is_due_at_many_places_is_done_in_several_transactions(
    bench: CallsBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls_advance, "AT_ONCE", 2)
    many(bench, 4)
    bench.released({HAIYANG: Level.RED})
    bench.tick(minutes=3)
    assert len(bench.asks()) == 10
    with bench.store.read() as work:
        said = [json.loads(e.payload) for e in work.ledger.entries() if e.kind == "call.silent"]
    assert [(facts["asked"], facts["turned"]) for facts in said] == [(2, 0), (2, 0), (1, 0)]
    assert sum((Counter(facts["places"]) for facts in said), Counter()) == {"county": 1, "site": 4}


def test_what_lies_inside_an_area_is_worked_out_once_for_all_duty_rooms(monkeypatch: pytest.MonkeyPatch) -> None:
    walked: list[str] = []

    def walk(code: str, areas: Mapping[str, Area]) -> tuple[str, ...]:
        walked.append(code)
        return ancestors(code, areas)

    monkeypatch.setattr("geowarn.domain.reach.ancestors", walk)
    reach = Reach({TOWN: Level.ORANGE, POINT: Level.RED}, KNOWN)
    assert {asks(COUNTY, HAIYANG, reach) for _ in range(20)} == {Level.RED}
    assert len(walked) == 2


def test_the_lane_reads_a_bulletin_once(bench: CallsBench) -> None:
    many(bench, 2)
    bench.released({HAIYANG: Level.RED})
    real: dict[str, bool] = {}
    with bench.store.read() as work, bench.counted() as statements:
        for notice in bench.notices():
            assert sealed_number(work, notice, real)
    assert len([one for one in statements if "FROM bulletin_artefact" in one]) == 1


def test_a_text_that_still_waits_to_be_sent_is_no_silence(bench: CallsBench) -> None:
    bench.contacts(room=(COUNTY, HAIYANG, 2), school=(SITE, HAIYANG, 2), ward=(SITE, HAIYANG, 2))
    bench.released({HAIYANG: Level.RED}, most=1)
    bench.clock.advance(minutes=2)
    texts_leave(bench.store, bench.clock.now(), 1)
    bench.tick(minutes=1, most=0)
    assert sorted(ask.number for ask in bench.asks()) == [1, 1, 1, 2], "the first had it three minutes ago"
    bench.tick(minutes=2, most=0)
    assert sorted(ask.number for ask in bench.asks()) == [1, 1, 1, 2, 2]
    bench.tick(minutes=5, most=0)
    assert set(bench.states().values()) == {CallState.TURNED}


def test_a_text_that_cannot_arrive_calls_the_next_one_at_once(bench: CallsBench) -> None:
    bench.released({LAIYANG: Level.YELLOW})
    with bench.store.begin() as work:
        work.calls.fail(bench.calls()["other"].id, 1, bench.clock.now())
        work.commit()
    bench.tick(seconds=10)
    assert [ask.number for ask in bench.asks()] == [1, 2]


def exercise(bench: CallsBench) -> Bulletin:
    return bench.released({HAIYANG: Level.RED}, series=Series.EXERCISE)


def test_an_exercise_makes_no_call(bench: CallsBench) -> None:
    exercise(bench)
    assert (bench.calls(), bench.notices(), bench.kinds()) == ({}, [], {})


def test_a_contact_is_not_asked_about_an_exercise_even_where_a_call_was_made(bench: CallsBench) -> None:
    made = exercise(bench)
    with pytest.raises(Refused) as refusal:
        asked(bench.desk(), made, one_call(bulletin_id=made.id), bench.contact("room", 1), NOON)
    assert "演练" in explain(refusal.value, "zh")


def test_the_lane_refuses_a_call_about_an_exercise_however_it_got_there(bench: CallsBench) -> None:
    bench.released({HAIYANG: Level.RED}, warning_id="w-2")
    (notice, *_) = bench.notices("w-2")
    made = exercise(bench)
    with bench.store.begin() as work:
        assert sealed_number(work, notice)
        work.calls.add([one_call(id="ca-x", bulletin_id=made.id, warning_id="w-1")], [])
        with pytest.raises(PermanentFailure, match=r"calls\.not-real"):
            sealed_number(work, replace(notice, subject="ca-x"))
        work.calls.answer(notice.subject, NOON, Via.SMS, "", None)
        with pytest.raises(PermanentFailure, match=r"calls\.not-asked-now"):
            sealed_number(work, notice)


class _Cut(BaseException):
    """The power is gone: nothing that handles faults sees it."""


class _Dying:
    """A store whose commit the process does not live to see."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    def read(self) -> object:
        return self._store.read()

    def begin(self) -> object:
        work = self._store.begin()

        def commit() -> None:
            raise _Cut

        work.commit = commit  # type: ignore[method-assign]
        return work


STEPS = st.one_of(
    st.tuples(st.just("tick"), st.integers(1, 400)),
    st.tuples(st.just("die"), st.integers(1, 400)),
    st.tuples(st.just("twice"), st.integers(0, 60)),
    st.tuples(st.just("answer"), st.integers(0, 9)),
    st.tuples(st.just("fail"), st.integers(0, 9)),
    st.tuples(st.just("forget"), st.just(0)),
)


@pytest.fixture
def names() -> Iterator[int]:
    return iter(range(10**6))


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, max_size=14))
def test_every_place_that_must_answer_ends_answered_or_turned_to_people(
    bench: CallsBench, names: Iterator[int], steps: list[tuple[str, int]]
) -> None:
    name = f"w-p{next(names)}"
    bench.contacts(room=(COUNTY, HAIYANG, 2), town=(TOWNSHIP, TOWN, 3), warden=(WARDEN, POINT, 1))
    bench.released({HAIYANG: Level.RED}, warning_id=name)
    began = bench.clock.now()
    for step, value in steps:
        _do(bench, name, step, value)
    bench.tick(seconds=max(0.0, 600 - (bench.clock.now() - began).total_seconds()))
    calls = bench.calls(name)
    assert set(calls) == {"room", "town", "warden"}
    assert {call.state for call in calls.values()} <= {CallState.ANSWERED, CallState.TURNED}
    turned = [call for call in calls.values() if call.state is CallState.TURNED]
    assert bool(turned) == any(task.subject == name for task in bench.tasks())
    # never twice, never too late, never before its time
    told = Counter((notice.subject, notice.person) for notice in bench.notices(name))
    assert set(told.values()) == {1}
    assert len(told) == len(bench.asks(name)) == sum(call.asked for call in calls.values())
    assert all(ask.asked_at < began + timedelta(minutes=10) for ask in bench.asks(name))
    bench.released({HAIYANG: Level.RED}, Act.LIFT, warning_id=name)


def _do(bench: CallsBench, name: str, step: str, value: int) -> None:
    calls = list(bench.calls(name).values())
    if step in ("tick", "twice"):
        bench.tick(seconds=value)
    elif step == "die":
        bench.clock.advance(seconds=value)
        with contextlib.suppress(_Cut):
            bench.tick(_Dying(bench.store))  # type: ignore[arg-type]
    elif step == "answer":
        asks = bench.asks(name)
        chosen = asks[value % len(asks)]
        call = next(call for call in calls if call.id == chosen.call_id)
        answered_call(bench.store, bench.vault, bench.clock, number_of(call.place, chosen.number), "1")
    elif step == "fail":
        chosen = bench.asks(name)[value % len(bench.asks(name))]
        with bench.store.begin() as work:
            work.calls.fail(chosen.call_id, chosen.number, bench.clock.now())
            work.commit()
    else:
        bench.contacts(room=(COUNTY, HAIYANG, 1))  # a new register, taken in while calls wait


def test_a_process_killed_at_each_timer_changes_nothing(bench: CallsBench) -> None:
    bench.released({HAIYANG: Level.RED})
    for _ in range(3):
        bench.clock.advance(minutes=3)
        for _ in range(2):
            with pytest.raises(_Cut):
                bench.tick(_Dying(bench.store))  # type: ignore[arg-type]
        bench.tick()
    assert set(bench.states().values()) == {CallState.TURNED}
    assert Counter(ask.number for ask in bench.asks()) == {1: 4, 2: 3, 3: 1}
    assert bench.kinds()["call.silent"] == 3
    assert len(bench.tasks()) == 1


def test_the_board_counts_by_county_and_says_where_a_person_must_act() -> None:
    tallies = [
        CallTally(HAIYANG, COUNTY, Level.RED, 2, 2, 0, 0, None),
        CallTally(HAIYANG, WARDEN, Level.RED, 38, 31, 5, 3, minutes(10)),
        CallTally(LAIYANG, COUNTY, Level.YELLOW, 2, 0, 0, 2, minutes(12)),
    ]
    levels = {HAIYANG: Level.RED, LAIYANG: Level.YELLOW}
    registered = {(HAIYANG, COUNTY): 2, (HAIYANG, WARDEN): 38, (HAIYANG, SITE): 3, (LAIYANG, COUNTY): 2}
    board = board_of(tallies, levels, KNOWN, registered, CallRules())
    first, second = board.rows
    assert (first.county, first.level, first.unanswered, first.turned) == (HAIYANG, Level.RED, 7, 5)
    assert first.cells == {
        COUNTY: Cell(2, 2), TOWNSHIP: Cell(missing=True), WARDEN: Cell(31, 38), SITE: Cell()
    }  # fmt: skip
    assert set(second.cells) == {COUNTY}
    assert (board.called, board.unanswered, board.turned, board.turn_at) == (42, 9, 5, minutes(10))
    assert [(one.county, dict(one.places), one.asked, one.turned) for one in board.silent] == [
        (HAIYANG, {WARDEN: 5}, 3, True),
        (LAIYANG, {COUNTY: 2}, 2, False),
    ]
    assert board_of([], {TOWN: Level.YELLOW}, KNOWN, {}, CallRules()).rows[0].cells == {COUNTY: Cell(missing=True)}
    assert board_of([], {HAIYANG: Level.BLUE}, KNOWN, {}, CallRules()).rows == ()


@pytest.mark.parametrize(
    ("table", "key", "fits"),
    [
        ({"yelow": []}, "calls.yelow", "yellow"),
        ({"yellow": ["province"]}, "calls.yellow", "township"),
        ({"yellow": "county"}, "calls.yellow", "township"),
        ({"next_minutes": 0}, "calls.next_minutes", "1 … 120"),
        ({"people_minutes": True}, "calls.people_minutes", "1 … 120"),
        ({"next_minutes": 11}, "calls.next_minutes", "1 … 10"),
        ({"keep_days": 29}, "calls.keep_days", "30 … 3650"),
        ([], "calls", "不是一组设置项"),
    ],
)
def test_a_rule_that_is_wrong_is_named(table: object, key: str, fits: str) -> None:
    with pytest.raises(Refused) as refusal:
        call_rules(table, "policy.toml")
    said = explain(refusal.value, "zh")
    assert key in said
    assert fits in said


def test_what_is_not_written_keeps_its_default() -> None:
    rules = call_rules({"yellow": ["county", "township"], "next_minutes": 2, "keep_days": 30}, "policy.toml")
    assert rules.must(Level.YELLOW) == {COUNTY, TOWNSHIP}
    assert rules.must(Level.RED) == set(CallKind)
    assert rules.must(Level.BLUE) == frozenset()
    assert rules.next_after == timedelta(minutes=2)
    assert (rules.keep_days, call_rules({}, "policy.toml").keep_days) == (30, 365)
