"""The clock of a proposal: who is rung when, what stops it, and that it never ends in silence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.integration.clock_desk import CHAIN, HAIYANG, QIXIA, ClockDesk
from tests.integration.conftest import SettableClock

from geowarn.bootstrap import System
from geowarn.domain.clock import EndOfChain
from geowarn.domain.errors import NotFound, Refused
from geowarn.domain.level import Level
from geowarn.domain.people import Role
from geowarn.domain.warning import Proposal
from geowarn.pipeline.actor import Actor
from geowarn.pipeline.escalation_acts import acknowledge
from geowarn.pipeline.proof import verify
from geowarn.pipeline.release import release
from geowarn.pipeline.review import dismiss, edit, return_for_edit
from geowarn.pipeline.secrecy import check_secrecy

MINUTE = timedelta(minutes=1)


@pytest.fixture
def desk(demo_system: System, officer: Callable[[str], Actor], settable_clock: SettableClock) -> ClockDesk:
    return ClockDesk(demo_system, officer, settable_clock)


def offsets(desk: ClockDesk, proposal: Proposal) -> list[tuple[str, float]]:
    begun = proposal.edited_at
    return [(name, (at - begun) / MINUTE) for name, at in desk.rung(proposal.warning_id)]


def test_a_proposal_is_a_task_with_an_owner_and_a_deadline_in_the_same_transaction(desk: ClockDesk) -> None:
    proposal = desk.proposed(Level.RED)
    task = desk.must_task(proposal.warning_id)
    assert (task.owner, task.due_at) == ("duty", desk.clock.now() + 15 * MINUTE)
    (one,) = desk.passes(proposal.warning_id)
    assert [post.name for post in one.posts] == ["duty-officer", "deputy", "leader", "chief"]
    assert [post.people for post in one.posts] == [("duty",), ("duty-b",), ("leader",), ("chief",)]
    assert [name for name, _ in desk.rung(proposal.warning_id)] == ["duty"]
    with desk.system.store.read() as work:
        (notice,) = work.notices.of_subject(f"{one.id} 0")
    assert (notice.person, notice.kind, notice.facts["level"]) == ("duty", "ring", "red")


@pytest.mark.parametrize("level", [Level.BLUE, Level.YELLOW, Level.ORANGE, Level.RED])
def test_every_path_of_the_policy_table_ends_or_stays_loud(desk: ClockDesk, level: Level) -> None:
    """Nobody answers; the officer answers and sleeps; signs; dismisses; returns and edits; all sign and release."""
    rule, signers = desk.policy.clock.of(level), desk.policy.signers[level]
    tick = rule.acknowledge / 8

    silent = desk.proposed(level)
    desk.run(tick, minutes=len(CHAIN) * rule.acknowledge / MINUTE - 0.5)
    expected = [(name, n * rule.acknowledge / MINUTE) for n, name in enumerate(CHAIN)]
    assert [name for name, _ in offsets(desk, silent)] == [name for name, _ in expected]
    assert [at for _, at in offsets(desk, silent)] == pytest.approx([at for _, at in expected], abs=tick / MINUTE)
    desk.run(minutes=1)
    assert [name for name, _ in desk.rung(silent.warning_id)][4:] == CHAIN, "everybody at once"
    desk.run(every=15 * MINUTE, hours=3)
    assert desk.loud(silent.warning_id)
    dismiss(desk.desk, silent.warning_id, "雨势已减", desk.officer("leader"))
    desk.tick(seconds=5)
    assert desk.task(silent.warning_id) is None
    assert desk.passes(silent.warning_id) == ()

    asleep = desk.proposed(level)
    desk.tick(seconds=30)
    acknowledge(desk.desk, asleep.warning_id, desk.officer("duty"))
    desk.run(tick, minutes=rule.time_for("duty-officer") / MINUTE - 1)
    assert [name for name, _ in desk.rung(asleep.warning_id)] == ["duty"], "the answer holds until the deadline"
    task = desk.must_task(asleep.warning_id)
    assert (task.acknowledged_by, task.owner, task.due_at) == (
        "duty", "duty", asleep.edited_at + rule.time_for("duty-officer"),
    )  # fmt: skip
    desk.run(minutes=1)
    assert [name for name, _ in desk.rung(asleep.warning_id)] == ["duty", "duty-b"], "and no longer"
    return_for_edit(desk.desk, asleep.warning_id, "写错地名", desk.officer("leader"))
    assert [one.step for one in desk.passes(asleep.warning_id)] == ["edit"]
    assert desk.loud(asleep.warning_id)
    edit(desk.desk, asleep.warning_id, {f"action.{level.code}.zh": "请立即撤离"}, desk.officer("leader"))
    assert [one.step for one in desk.passes(asleep.warning_id)] == ["duty-officer"]

    names = {"duty-officer": "duty"}
    for role in signers:
        if role.value not in [one.step for one in desk.passes(asleep.warning_id)]:
            continue
        desk.signs(asleep.warning_id, names.get(role.value, role.value))
        assert desk.loud(asleep.warning_id)
    for role in (Role.LEADER, Role.OBSERVATORY, Role.CHIEF):
        if role.value in [one.step for one in desk.passes(asleep.warning_id)]:
            desk.signs(asleep.warning_id, role.value)
    assert [one.step for one in desk.passes(asleep.warning_id)] == ["release"]
    desk.run(every=4 * tick, minutes=rule.time_for("release") / MINUTE + 30)
    assert desk.loud(asleep.warning_id), "signed and forgotten rings too"
    release(desk.desk, asleep.warning_id, desk.officer("duty"))
    desk.tick(seconds=5)
    assert desk.task(asleep.warning_id) is None
    assert verify(desk.system.store)[1] is None


def test_after_the_officer_the_next_signers_are_rung_side_by_side(desk: ClockDesk) -> None:
    proposal = desk.proposed(Level.RED)
    desk.tick(minutes=1)
    desk.signs(proposal.warning_id, "duty")
    assert {one.step for one in desk.passes(proposal.warning_id)} == {"leader", "observatory"}
    acknowledge(desk.desk, proposal.warning_id, desk.officer("leader"))
    desk.run(minutes=4)
    rung = [name for name, _ in desk.rung(proposal.warning_id)]
    assert rung[:3] == ["duty", "leader", "observatory"]
    assert rung[3:] == ["duty"], "the observatory is silent: its chain goes to the desk; the leader's rests"
    desk.signs(proposal.warning_id, "leader")
    desk.signs(proposal.warning_id, "observatory")
    assert [one.step for one in desk.passes(proposal.warning_id)] == ["chief"]
    assert desk.must_task(proposal.warning_id).owner == "chief"


def test_while_the_secrecy_check_is_missing_that_is_what_rings(desk: ClockDesk) -> None:
    desk.policy = replace(desk.policy, review=replace(desk.policy.review, secrecy_levels=frozenset({Level.RED})))
    proposal = desk.proposed(Level.RED)
    desk.signs(proposal.warning_id, "duty")
    assert {one.step for one in desk.passes(proposal.warning_id)} == {"observatory", "secrecy"}
    (check,) = [one for one in desk.passes(proposal.warning_id) if one.step == "secrecy"]
    assert [post.name for post in check.posts] == ["duty-officer", "deputy", "disclosure", "leader", "chief"]
    check_secrecy(desk.desk, proposal.warning_id, desk.officer("disclosure"))
    assert {one.step for one in desk.passes(proposal.warning_id)} == {"observatory", "leader"}, "and then the leader"
    assert desk.must_task(proposal.warning_id).owner in ("leader", "observatory")


def test_a_rise_begins_anew_with_the_stricter_clock_and_a_fall_does_not(desk: ClockDesk) -> None:
    proposal = desk.proposed(Level.YELLOW)
    desk.tick(minutes=1)
    acknowledge(desk.desk, proposal.warning_id, desk.officer("duty"))
    desk.becomes(proposal, {HAIYANG: Level.RED})
    (one,) = desk.passes(proposal.warning_id)
    assert (one.level, one.decide_by) == (Level.RED, desk.clock.now() + 15 * MINUTE)
    assert desk.must_task(proposal.warning_id).acknowledged_by is None, "red must be answered again"
    desk.becomes(proposal, {HAIYANG: Level.YELLOW})
    assert desk.passes(proposal.warning_id) == (one,)


def test_where_everyone_is_left_out_everybody_who_may_decide_is_rung(desk: ClockDesk) -> None:
    with desk.system.store.begin() as work:
        for user in work.users.all():
            work.users.save(replace(user, phone_sealed=None, phone_masked=""))
        work.commit()
    desk.clock.advance(days=30)  # no shift any more
    proposal = desk.proposed(Level.RED)
    (one,) = desk.passes(proposal.warning_id)
    assert {skipped.why for skipped in one.skipped} == {"empty", "no-number"}
    assert one.posts[0].name == "everybody"
    assert {"duty", "leader", "chief"} <= set(one.posts[0].people)
    desk.run(every=MINUTE, hours=1)
    assert desk.loud(proposal.warning_id)


def test_a_round_begins_again_with_the_people_on_duty_by_then(desk: ClockDesk) -> None:
    rules = desk.policy.clock
    round_ = replace(rules.of(Level.RED), end_of_chain=EndOfChain.ROUND)
    desk.with_clock(replace(rules, levels={**rules.levels, Level.RED: round_}))
    proposal = desk.proposed(Level.RED)
    desk.run(minutes=12.5)
    assert [name for name, _ in desk.rung(proposal.warning_id)] == [*CHAIN, "duty"]
    (one,) = desk.passes(proposal.warning_id)
    assert (one.number, [post.people for post in one.posts]) == (2, [("duty",), ("duty-b",), ("leader",), ("chief",)])


def test_a_hand_over_passes_the_task_on_and_keeps_its_deadline(desk: ClockDesk) -> None:
    with desk.system.store.read() as work:
        (shift,) = work.shifts.at(desk.clock.now())
        (following,) = work.shifts.at(shift.end)
    desk.clock.moment = shift.end - 5 * MINUTE
    proposal = desk.proposed(Level.YELLOW)
    acknowledge(desk.desk, proposal.warning_id, desk.officer("duty"))
    due = desk.must_task(proposal.warning_id).due_at
    desk.run(minutes=6)
    task = desk.must_task(proposal.warning_id)
    assert (task.owner, task.due_at, task.acknowledged_by) == (following.officer, due, None)


def test_only_who_is_asked_can_say_that_they_have_it(desk: ClockDesk) -> None:
    proposal = desk.proposed(Level.RED)
    for name, key in (("disclosure", "people.role-missing"), ("duty-c", "clock.not-asked")):
        with pytest.raises(Refused) as refusal:
            acknowledge(desk.desk, proposal.warning_id, desk.officer(name))
        assert refusal.value.key == key
    acknowledge(desk.desk, proposal.warning_id, desk.officer("duty"))
    acknowledge(desk.desk, proposal.warning_id, desk.officer("duty"))
    assert len(desk.ledger(proposal.warning_id, "escalation.answered")) == 1
    dismiss(desk.desk, proposal.warning_id, "误报", desk.officer("duty"))
    with pytest.raises(NotFound):
        acknowledge(desk.desk, proposal.warning_id, desk.officer("duty"))


def test_a_reply_by_text_is_an_answer(desk: ClockDesk) -> None:
    proposal = desk.proposed(Level.RED)
    assert desk.texts("chief", "1") is None, "not rung yet"
    assert desk.texts("duty", "好的") is None
    assert desk.texts("duty", " 1 ") == "escalation"
    assert desk.must_task(proposal.warning_id).acknowledged_by == "duty"


def test_who_stands_in_may_sign_once_it_has_come_to_them(desk: ClockDesk) -> None:
    desk.with_clock(replace(desk.policy.clock, stand_in={Role.LEADER: ("duty-c",)}))
    proposal = desk.proposed(Level.YELLOW)
    desk.signs(proposal.warning_id, "duty")
    with pytest.raises(Refused) as early:
        desk.signs(proposal.warning_id, "duty-c")
    assert early.value.key == "signoff.role-taken"
    desk.run(minutes=8.5)
    signed = desk.signs(proposal.warning_id, "duty-c")
    assert signed.role is Role.LEADER
    assert desk.ledger(proposal.warning_id, "proposal.signed")[-1]["stands_in"] == "leader"


def test_a_county_leader_is_rung_for_the_county_only(desk: ClockDesk) -> None:
    with desk.system.store.begin() as work:
        leader = work.users.get("leader")
        assert leader is not None
        away = replace(leader, name="county", roles=frozenset({Role.LEADER}), areas={Role.LEADER: frozenset({QIXIA})})
        work.users.save(away)
        for shift in work.shifts.at(desk.clock.now()):
            work.shifts.save(replace(shift, leader=None))
        work.commit()
    proposal = desk.proposed(Level.YELLOW)
    (one,) = desk.passes(proposal.warning_id)
    assert [post.people for post in one.posts if post.name == "leader"] == [("leader",)]
