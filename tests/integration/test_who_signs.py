"""Whose signature counts when it is made: who stands in by the written rule, who has lost the right meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.integration.clock_desk import ClockDesk
from tests.integration.conftest import SettableClock
from tests.integration.test_console_pages import Desk
from tests.integration.test_sign_codes import sent

from geowarn.bootstrap import System
from geowarn.domain.bulletin import Bulletin
from geowarn.domain.errors import Refused
from geowarn.domain.level import Level
from geowarn.domain.people import Role
from geowarn.domain.warning import Proposal, ProposalStatus
from geowarn.pipeline.actor import Actor
from geowarn.pipeline.desk import newest
from geowarn.pipeline.escalation_acts import acknowledge, acknowledge_task
from geowarn.pipeline.phones import set_phone
from geowarn.pipeline.sign_codes import ask, return_by_code


@pytest.fixture
def desk(demo_system: System, officer: Callable[[str], Actor], settable_clock: SettableClock) -> ClockDesk:
    return ClockDesk(demo_system, officer, settable_clock)


def refused(act: Callable[[], object]) -> str:
    with pytest.raises(Refused) as refusal:
        act()
    return refusal.value.key


def standing_in(desk: ClockDesk, *names: str) -> None:
    """The written rule names these accounts for the leader; they can be rung."""
    desk.with_clock(replace(desk.policy.clock, stand_in={Role.LEADER: names}))
    for name in names:
        set_phone(desk.system.store, desk.system.vault, desk.clock, name, "+8613800000077", "test")


def test_who_stands_in_needs_no_other_role_that_signs(desk: ClockDesk) -> None:
    standing_in(desk, "disclosure")
    name = desk.proposed(Level.YELLOW).warning_id
    desk.signs(name, "duty")
    assert refused(lambda: desk.signs(name, "disclosure")) == "people.role-missing", "it has not come to them yet"
    desk.run(minutes=8.5)
    assert acknowledge(desk.desk, name, desk.officer("disclosure")).id == desk.must_task(name).id
    assert desk.signs(name, "disclosure").role is Role.LEADER
    assert desk.ledger(name, "proposal.signed")[-1]["stands_in"] == "leader"


def released(desk: ClockDesk) -> Bulletin:
    desk.release_first_at(Level.RED)
    warning = desk.proposed(Level.RED).warning_id
    desk.run(minutes=13)
    with desk.system.store.read() as work:
        (bulletin,) = work.bulletins.of_warning(warning)
    return bulletin


def test_who_stands_in_signs_what_was_released_first_too(desk: ClockDesk) -> None:
    standing_in(desk, "disclosure", "duty-c")
    bulletin = released(desk)
    page = f"/console/warnings/{bulletin.warning_id}/after-review"
    browser = Desk(replace(desk.system, policy=desk.policy), "disclosure")
    assert refused(lambda: desk.signs_after(bulletin.slug, "disclosure")) == "people.role-missing"
    assert refused(lambda: desk.signs_after(bulletin.slug, "duty-c")) == "signoff.off-shift"
    assert "以分管领导身份补签" not in browser.get(page)
    desk.run(minutes=3.5)
    assert "以分管领导身份补签" in browser.get(page)
    task = desk.must_task(bulletin.slug, "after-review")
    assert acknowledge_task(desk.desk, task.id, desk.officer("disclosure")).id == task.id
    assert desk.signs_after(bulletin.slug, "disclosure").role is Role.LEADER
    entry = desk.ledger(bulletin.warning_id, "bulletin.after-signed")[-1]
    assert (entry["role"], entry["stands_in"], entry["second_factor"]) == ("leader", "leader", "totp")
    assert refused(lambda: desk.signs_after(bulletin.slug, "leader")) == "clock.not-yours"


def test_a_held_role_is_no_standing_in(desk: ClockDesk) -> None:
    bulletin = released(desk)
    desk.signs_after(bulletin.slug, "leader")
    assert "stands_in" not in desk.ledger(bulletin.warning_id, "bulletin.after-signed")[-1]


def newest_of(desk: ClockDesk, warning_id: str) -> Proposal:
    with desk.system.store.read() as work:
        found = newest(work, warning_id)
    assert found is not None
    return found


@pytest.mark.parametrize("lost", ["role", "signed"])
def test_a_code_returns_nothing_for_who_may_no_longer_sign(desk: ClockDesk, lost: str) -> None:
    name = desk.proposed(Level.YELLOW).warning_id
    code = ask(desk.desk, name, "leader", desk.officer("duty"))
    with desk.system.store.begin() as work:
        leader = work.users.get("leader")
        assert leader is not None
        work.users.save(replace(leader, name="leader-2"))
        if lost == "role":
            work.users.save(replace(leader, roles=frozenset({Role.DISCLOSURE})))
        work.commit()
    if lost == "signed":
        desk.signs(name, "leader-2")
    right = sent(desk.system, code)
    assert refused(lambda: return_by_code(desk.desk, code.id, right, "级别要改", "x")) == "code.no-longer"
    assert newest_of(desk, name).status is ProposalStatus.OPEN
    with desk.system.store.read() as work:
        kept = work.sign_codes.get(code.id)
    assert kept is not None
    assert kept.used_at is None


def test_a_code_that_cannot_be_sent_leaves_the_signature_and_says_so(desk: ClockDesk) -> None:
    name = desk.proposed(Level.YELLOW).warning_id
    page = f"/console/warnings/{name}"
    browser = Desk(desk.system, "duty")
    seen = browser.get(page)
    set_phone(desk.system.store, desk.system.vault, desk.clock, "leader", "", "test")
    answer = browser.send(seen, f"{page}/sign", 409, ask_next="leader")
    assert "您的签名已生效。但口令没有发出" in answer
    assert "leader 现在不能签版本 1" in answer
    with desk.system.store.read() as work:
        (signed,) = work.signoffs.of_proposal(newest_of(desk, name).id)
    assert (signed.user, signed.voided_at) == ("duty", None)
    assert "轮到您核签" not in answer, "the page stands as after the signature"
