"""The course of events on the real store: the machine proposes, people decide (house rules 1 and 2)."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.integration.conftest import SettableClock, signed
from tests.integration.course_desk import GAP, HAIYANG, LAIYANG, QIXIA, CourseDesk, Officer, levels

from geowarn.bootstrap import System
from geowarn.domain.errors import Refused
from geowarn.domain.level import Level
from geowarn.domain.warning import Act, ProposalStatus, WarningStatus
from geowarn.pipeline import change
from geowarn.pipeline.proof import verify
from geowarn.pipeline.propose import follow_course, propose_by_hand, propose_from_run
from geowarn.pipeline.review import dismiss, edit, return_for_edit
from geowarn.pipeline.watch import end_validity
from geowarn.store.unit_of_work import SqlStore

NONE, BLUE, YELLOW, ORANGE, RED = Level


@pytest.fixture
def desk(demo_system: System, officer: Officer, settable_clock: SettableClock) -> Iterator[CourseDesk]:
    settable_clock.moment = settable_clock.moment.replace(minute=10, second=0, microsecond=0) + timedelta(hours=1)
    yield CourseDesk(demo_system, officer, settable_clock)
    count, fault = verify(demo_system.store)
    assert fault is None
    assert count


@pytest.fixture
def in_force(desk: CourseDesk) -> str:
    """Haiyang orange and Laiyang yellow, released."""
    warning_id = desk.must_hear({HAIYANG: ORANGE, LAIYANG: YELLOW, QIXIA: NONE}).warning_id
    desk.signed_and_released(warning_id)
    return warning_id


def test_a_run_opens_a_course_once(desk: CourseDesk) -> None:
    proposal = desk.must_hear({HAIYANG: YELLOW, QIXIA: NONE})
    assert (proposal.content.act, levels(proposal.content)) == (Act.ISSUE, {HAIYANG: YELLOW})
    assert propose_from_run(desk.system.desk, desk.runs[0]) is None
    assert follow_course(desk.system.desk) is None
    assert len(desk.warnings()) == 1
    (record,) = desk.records(proposal.warning_id)
    assert (record["way"], record["proposal"], record["runs"]) == ("rise", proposal.id, desk.runs)


def test_a_crash_after_the_assessment_is_made_up_for(desk: CourseDesk) -> None:
    desk.assessed({HAIYANG: YELLOW})
    assert desk.warnings() == ()
    proposal = follow_course(desk.system.desk)
    assert proposal is not None
    assert levels(proposal.content) == {HAIYANG: YELLOW}


def test_calls_at_once_propose_once(desk: CourseDesk) -> None:
    run = desk.assessed({HAIYANG: YELLOW})
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: propose_from_run(desk.system.desk, run), range(4)))
    assert len([found for found in made if found]) == 1
    assert len(desk.warnings()) == 1


def test_calls_at_once_propose_once_on_every_database(
    demo_system: System, shared_store: SqlStore, officer: Officer, settable_clock: SettableClock
) -> None:
    with demo_system.store.read() as there, shared_store.begin() as here:
        here.areas.save_all(there.areas.all())
        here.commit()
    desk = CourseDesk(replace(demo_system, store=shared_store), officer, settable_clock)
    for _ in range(3):
        run = desk.assessed({HAIYANG: YELLOW})
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda name: propose_from_run(desk.system.desk, name), [run] * 4))
    (warning,) = desk.warnings()
    assert desk.newest(warning.id).version == 1
    assert len(desk.records(warning.id)) == 3


def test_a_rise_replaces_the_machine_s_own_version_and_voids_signatures(desk: CourseDesk) -> None:
    first = desk.must_hear({HAIYANG: YELLOW})
    signed(desk.system, first.warning_id, desk.officer("duty"))
    desk.clock.advance(hours=1)
    second = desk.must_hear({HAIYANG: ORANGE})
    assert (second.warning_id, second.version, second.content.act) == (first.warning_id, 2, Act.ISSUE)
    with desk.system.store.read() as work:
        assert all(signoff.voided_at for signoff in work.signoffs.of_proposal(first.id))


def test_what_changes_nothing_keeps_version_and_signatures(desk: CourseDesk) -> None:
    first = desk.must_hear({HAIYANG: ORANGE, LAIYANG: YELLOW})
    signed(desk.system, first.warning_id, desk.officer("duty"))
    for word in (ORANGE, YELLOW, GAP, ORANGE):
        desk.clock.advance(hours=1)
        assert desk.hears({HAIYANG: word, LAIYANG: YELLOW}) is None
    assert desk.newest(first.warning_id) == first
    with desk.system.store.read() as work:
        assert [signoff.voided_at for signoff in work.signoffs.of_proposal(first.id)] == [None]
    assert len(desk.records(first.warning_id)) == 5  # each run has its entry, whatever came of it
    assert desk.because(first.warning_id) == {HAIYANG: "kept", LAIYANG: "kept"}


def test_a_fall_or_a_later_end_does_not_cost_a_signature(desk: CourseDesk) -> None:
    first = desk.must_hear({HAIYANG: ORANGE, LAIYANG: YELLOW})
    signed(desk.system, first.warning_id, desk.officer("duty"))
    for _ in range(3):
        desk.clock.advance(hours=4)
        assert desk.hears({HAIYANG: NONE, LAIYANG: YELLOW}) is None
    assert desk.newest(first.warning_id) == first
    assert desk.tasks()["levels-moved"]["way"] == "lower"


def test_two_complete_runs_prepare_a_downgrade_that_people_sign(desk: CourseDesk, in_force: str) -> None:
    desk.clock.advance(hours=6)
    assert desk.hears({HAIYANG: YELLOW, LAIYANG: YELLOW}) is None
    assert desk.because(in_force) == {HAIYANG: "one-of", LAIYANG: "kept"}
    desk.clock.advance(hours=6)
    lower = desk.must_hear({HAIYANG: YELLOW, LAIYANG: YELLOW})
    assert (lower.content.act, lower.edited_by) == (Act.UPDATE, "system")
    assert levels(lower.content) == {HAIYANG: YELLOW, LAIYANG: YELLOW}
    assert {area.code: area.before for area in lower.content.areas} == {HAIYANG: ORANGE, LAIYANG: YELLOW}
    assert "chief" in {role.value for role in desk.system.policy.required(lower.content)}
    desk.signed_and_released(in_force)
    with desk.system.store.read() as work:
        assert [b.act for b in work.bulletins.of_warning(in_force)] == [Act.ISSUE, Act.UPDATE]


@pytest.mark.parametrize(
    ("word", "more"), [(GAP, {}), (YELLOW, {"bounds": (HAIYANG,)}), (YELLOW, {"stale": True})], ids=str
)
def test_gaps_lower_bounds_and_stale_runs_lower_nothing(
    desk: CourseDesk, in_force: str, word: Level | None, more: dict[str, Any]
) -> None:
    for _ in range(4):
        desk.clock.advance(hours=3)
        assert desk.hears({HAIYANG: word, LAIYANG: YELLOW}, **more) is None
    assert desk.because(in_force)[HAIYANG] == "incomplete"


def test_time_alone_ends_the_persistence(desk: CourseDesk, in_force: str) -> None:
    for _ in range(2):
        desk.clock.advance(hours=1)
        assert desk.hears({HAIYANG: YELLOW, LAIYANG: YELLOW}) is None
    assert desk.because(in_force)[HAIYANG] == "persisting"
    desk.clock.advance(hours=4, minutes=40)
    assert follow_course(desk.system.desk) is None
    desk.clock.advance(minutes=20)
    lower = follow_course(desk.system.desk)
    assert lower is not None
    assert levels(lower.content) == {HAIYANG: YELLOW, LAIYANG: YELLOW}


def test_nothing_public_left_is_a_task_and_never_an_act(desk: CourseDesk, in_force: str) -> None:
    for _ in range(3):
        desk.clock.advance(hours=5)
        assert desk.hears({HAIYANG: NONE, LAIYANG: BLUE}) is None
    assert set(desk.tasks()) >= {"all-clear-due"}
    assert desk.because(in_force) == {HAIYANG: "all-clear-first", LAIYANG: "all-clear-first"}
    assert desk.newest(in_force).status is ProposalStatus.RELEASED
    desk.clock.advance(hours=1)
    assert desk.hears({HAIYANG: NONE, LAIYANG: YELLOW}) is not None  # Laiyang is back: Haiyang may fall
    assert "all-clear-due" not in desk.tasks()


def test_an_extension_is_prepared_near_the_end(desk: CourseDesk, in_force: str) -> None:
    end = desk.newest(in_force).content.expires
    for _ in range(5):
        desk.clock.advance(hours=3)
        assert desk.hears({HAIYANG: ORANGE, LAIYANG: YELLOW}) is None
    desk.clock.advance(hours=4)
    longer = desk.must_hear({HAIYANG: ORANGE, LAIYANG: YELLOW})
    assert longer.content.act is Act.EXTEND
    assert longer.content.expires > end + timedelta(hours=3)
    assert {area.before for area in longer.content.areas} == {ORANGE, YELLOW}
    desk.clock.advance(hours=1)
    assert desk.hears({HAIYANG: ORANGE, LAIYANG: YELLOW}) is None
    desk.signed_and_released(in_force)


def test_a_version_a_person_edited_is_not_replaced(desk: CourseDesk) -> None:
    first = desk.must_hear({HAIYANG: YELLOW})
    own = edit(desk.system.desk, first.warning_id, {"action.yellow.zh": "请离开陡坡下方"}, desk.officer("duty"))
    desk.clock.advance(hours=1)
    assert desk.hears({HAIYANG: RED}) is None
    assert desk.newest(first.warning_id) == own
    task = desk.tasks()["levels-moved"]
    assert (task["way"], task["levels"]) == ("rise", {HAIYANG: "red"})
    assert propose_from_run(desk.system.desk, desk.runs[-1]) is None
    desk.clock.advance(hours=1)
    assert desk.hears({HAIYANG: RED, LAIYANG: ORANGE}) is None
    assert desk.tasks()["levels-moved"]["levels"] == {HAIYANG: "red", LAIYANG: "orange"}
    taken = follow_course(desk.system.desk, desk.officer("duty"))
    assert taken is not None
    assert levels(taken.content) == {HAIYANG: RED, LAIYANG: ORANGE}
    assert taken.edited_by == "duty"
    assert "levels-moved" not in desk.tasks()


def test_what_the_machine_prepared_stands_in_nobody_s_way(desk: CourseDesk, in_force: str) -> None:
    desk.clock.advance(hours=1)
    rise = desk.must_hear({HAIYANG: RED, LAIYANG: YELLOW})
    own = change.lift(desk.system.desk, in_force, "预报有误，实况无雨", desk.officer("duty"))
    assert (own.version, own.content.act) == (rise.version + 1, Act.LIFT)
    dismiss(desk.system.desk, in_force, "再看一次", desk.officer("duty"))
    desk.clock.advance(hours=1)
    again = desk.must_hear({HAIYANG: RED, LAIYANG: YELLOW})  # an all-clear that was not given refuses no level
    signed(desk.system, in_force, desk.officer("leader"))
    with pytest.raises(Refused) as refusal:
        change.lift(desk.system.desk, in_force, "雨停", desk.officer("duty"))
    assert refusal.value.facts["version"] == again.version


def test_a_proposal_nobody_looked_at_is_not_carried_into_the_next_storm(desk: CourseDesk) -> None:
    old = desk.must_hear({HAIYANG: RED})
    desk.clock.advance(hours=49)
    new = desk.must_hear({LAIYANG: YELLOW})
    assert new.warning_id != old.warning_id
    assert levels(new.content) == {LAIYANG: YELLOW}


def test_a_returned_version_is_a_person_s(desk: CourseDesk) -> None:
    first = desk.must_hear({HAIYANG: YELLOW})
    return_for_edit(desk.system.desk, first.warning_id, "写明地点", desk.officer("leader"))
    desk.clock.advance(hours=1)
    assert desk.hears({HAIYANG: ORANGE}) is None
    assert desk.newest(first.warning_id).status is ProposalStatus.RETURNED
    assert desk.tasks()["levels-moved"]["way"] == "rise"


def test_an_all_clear_under_review_hears_of_a_rise(desk: CourseDesk, in_force: str) -> None:
    change.lift(desk.system.desk, in_force, "雨停", desk.officer("duty"))
    desk.clock.advance(hours=1)
    assert desk.hears({HAIYANG: RED, LAIYANG: YELLOW}) is None
    assert desk.newest(in_force).content.act is Act.LIFT
    assert desk.tasks()["levels-moved"]["way"] == "rise"
    with pytest.raises(Refused) as refusal:
        follow_course(desk.system.desk, desk.officer("duty"))
    assert refusal.value.key == "change.under-review"


def test_a_dismissed_proposal_stays_dismissed_for_its_window(desk: CourseDesk) -> None:
    first = desk.must_hear({HAIYANG: YELLOW})
    dismiss(desk.system.desk, first.warning_id, "雨带偏南", desk.officer("duty"))
    assert propose_from_run(desk.system.desk, desk.runs[0]) is None
    desk.clock.advance(hours=1)
    assert desk.hears({HAIYANG: YELLOW}) is None
    assert desk.hears({HAIYANG: BLUE}, "ecmwf") is None
    higher = desk.must_hear({HAIYANG: ORANGE}, "ecmwf")
    assert higher.warning_id != first.warning_id
    (record,) = desk.records(higher.warning_id)
    assert [answer["reason"] for answer in record["answers"]] == ["雨带偏南"]


def test_a_dismissed_level_comes_back_for_a_later_window(desk: CourseDesk) -> None:
    first = desk.must_hear({HAIYANG: YELLOW})
    dismiss(desk.system.desk, first.warning_id, "雨带偏南", desk.officer("duty"))
    desk.clock.advance(hours=4)
    assert desk.must_hear({HAIYANG: YELLOW}).warning_id != first.warning_id


def test_a_refused_follow_up_leaves_the_warning_in_force(desk: CourseDesk, in_force: str) -> None:
    desk.clock.advance(hours=1)
    rise = desk.must_hear({HAIYANG: RED, LAIYANG: YELLOW})
    assert (rise.warning_id, rise.content.act) == (in_force, Act.UPDATE)
    dismiss(desk.system.desk, in_force, "与实况不符", desk.officer("duty"))
    desk.clock.advance(hours=1)
    assert desk.hears({HAIYANG: RED, LAIYANG: YELLOW}) is None
    assert desk.because(in_force)[HAIYANG] == "answered"
    assert levels(desk.must_hear({HAIYANG: RED, LAIYANG: RED}).content) == {HAIYANG: RED, LAIYANG: RED}


def test_a_lifted_course_is_over_and_a_new_event_is_a_new_one(desk: CourseDesk, in_force: str) -> None:
    change.lift(desk.system.desk, in_force, "雨停，巡查无异常", desk.officer("duty"))
    desk.signed_and_released(in_force)
    assert propose_from_run(desk.system.desk, desk.runs[-1]) is None
    desk.clock.advance(hours=1)
    assert desk.hears({HAIYANG: ORANGE, LAIYANG: YELLOW}) is None
    anew = desk.must_hear({HAIYANG: RED, LAIYANG: YELLOW}, "ecmwf")
    assert anew.warning_id != in_force
    assert anew.content.act is Act.ISSUE
    assert desk.records(anew.warning_id)[0]["answers"][0]["status"] == "lifted"


def test_an_end_without_all_clear_is_the_same_course_for_a_day(desk: CourseDesk, in_force: str) -> None:
    desk.clock.advance(hours=30)
    assert end_validity(desk.system.desk) == (in_force,)
    again = desk.must_hear({HAIYANG: ORANGE, LAIYANG: YELLOW})
    assert (again.warning_id, again.content.act) == (in_force, Act.EXTEND)
    dismiss(desk.system.desk, in_force, "雨已过", desk.officer("duty"))
    desk.clock.advance(hours=30)
    assert desk.must_hear({HAIYANG: YELLOW}).warning_id != in_force
    assert {w.id: w.status for w in desk.warnings()}[in_force] is WarningStatus.VALIDITY_ENDED


def test_what_a_person_changed_stands(desk: CourseDesk, in_force: str) -> None:
    change.update(desk.system.desk, in_force, {HAIYANG: YELLOW, QIXIA: ORANGE}, "现场核查", desk.officer("duty"))
    desk.signed_and_released(in_force)
    assert propose_from_run(desk.system.desk, desk.runs[-1]) is None
    for _ in range(3):
        desk.clock.advance(hours=4)
        assert desk.hears({HAIYANG: YELLOW, LAIYANG: YELLOW, QIXIA: NONE}) is None
    assert desk.because(in_force)[QIXIA] == "by-person"
    assert levels(desk.must_hear({HAIYANG: ORANGE, LAIYANG: YELLOW, QIXIA: NONE}, "ecmwf").content) == {
        HAIYANG: ORANGE,
        LAIYANG: YELLOW,
        QIXIA: ORANGE,
    }


def test_two_sources_in_turn_make_one_proposal_a_change(desk: CourseDesk) -> None:
    made = []
    for turn in range(8):
        desk.clock.advance(hours=1)
        word, source = ((YELLOW, "gfs"), (ORANGE, "ecmwf"))[turn % 2]
        made.append(desk.hears({HAIYANG: word}, source))
    assert [levels(found.content) for found in made if found] == [{HAIYANG: YELLOW}, {HAIYANG: ORANGE}]


def test_what_a_person_opened_by_hand_is_another_hazard(desk: CourseDesk) -> None:
    crack = propose_by_hand(desk.system.desk, {HAIYANG: RED}, 24, "后山裂缝", "网格员", desk.officer("duty"))
    assert desk.must_hear({HAIYANG: YELLOW}).warning_id != crack.warning_id
    assert desk.newest(crack.warning_id) == crack
