"""Beside the signatures: the secrecy check, talks with the observatory, comments, levels changed with a reason."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.integration.conftest import SettableClock, signed

from geowarn.bootstrap import System
from geowarn.domain.errors import Refused
from geowarn.domain.level import Level
from geowarn.domain.people import Role
from geowarn.domain.policy import Policy
from geowarn.domain.warning import Proposal
from geowarn.pipeline.actor import Actor
from geowarn.pipeline.adjust import adjust
from geowarn.pipeline.counsel import comment, record_consultation
from geowarn.pipeline.desk import Desk
from geowarn.pipeline.propose import propose_by_hand
from geowarn.pipeline.release import release
from geowarn.pipeline.review import dismiss, edit, return_for_edit
from geowarn.pipeline.secrecy import check_secrecy
from geowarn.pipeline.signoff import sign
from geowarn.pipeline.view import warning_view
from geowarn.ports import UnitOfWork

Officer = Callable[[str], Actor]
HAIYANG, LAIYANG, QIXIA = "370687", "370682", "370686"


def proposed(system: System, officer: Officer, levels: dict[str, Level] | None = None) -> Proposal:
    wanted = levels or {HAIYANG: Level.YELLOW}
    return propose_by_hand(system.desk, wanted, 24, "后山出现裂缝", "村巡查员报告", officer("duty"))


def refused(act: Callable[[], object]) -> str:
    with pytest.raises(Refused) as refusal:
        act()
    return refusal.value.key


def entries(system: System, warning_id: str, kind: str) -> list[dict[str, object]]:
    with system.store.read() as work:
        found = work.ledger.entries(subject=warning_id)
        return [json.loads(entry.payload) for entry in found if entry.kind == kind]


def with_rules(system: System, **rules: object) -> Desk:
    policy = replace(system.policy, review=replace(system.policy.review, **rules))  # type: ignore[arg-type]
    return replace(system.desk, policy=policy)


@pytest.mark.usefixtures("shipped_policy")
class TestSecrecy:
    def test_no_leader_signs_before_the_check(self, demo_system: System, officer: Officer) -> None:
        desk, made = demo_system.desk, proposed(demo_system, officer, {HAIYANG: Level.RED})
        signed(demo_system, made.warning_id, officer("duty"))
        signed(demo_system, made.warning_id, officer("observatory"))
        for name in ("leader", "chief"):
            assert refused(lambda name=name: sign(desk, made.warning_id, officer(name))) == "secrecy.unchecked"  # type: ignore[misc]
        check = check_secrecy(desk, made.warning_id, officer("disclosure"), made.package_sha256)
        assert (check.package_sha256, check.role) == (made.package_sha256, Role.DISCLOSURE)
        signed(demo_system, made.warning_id, officer("leader"))
        signed(demo_system, made.warning_id, officer("chief"))
        assert release(desk, made.warning_id, officer("duty")).warning_id == made.warning_id
        (entry,) = entries(demo_system, made.warning_id, "proposal.secrecy-checked")
        assert entry == {"version": 1, "package_sha256": made.package_sha256, "role": "disclosure"}

    def test_an_edit_voids_the_check(self, demo_system: System, officer: Officer) -> None:
        desk, made = demo_system.desk, proposed(demo_system, officer)
        check_secrecy(desk, made.warning_id, officer("disclosure"))
        edit(desk, made.warning_id, {"action.yellow.zh": "请远离沟谷"}, officer("duty"))
        assert refused(lambda: sign(desk, made.warning_id, officer("leader"))) == "secrecy.unchecked"
        # Written back to the very same words it is another version all the same.
        again = edit(
            desk, made.warning_id, {"action.yellow.zh": made.content.slots["action.yellow.zh"]}, officer("duty")
        )
        assert again.package_sha256 == made.package_sha256
        assert refused(lambda: sign(desk, made.warning_id, officer("leader"))) == "secrecy.unchecked"

    def test_who_may_check(self, demo_system: System, officer: Officer, settable_clock: SettableClock) -> None:
        desk, made = demo_system.desk, proposed(demo_system, officer)
        name = made.warning_id
        assert refused(lambda: check_secrecy(desk, name, officer("leader"))) == "people.role-missing"
        assert refused(lambda: check_secrecy(desk, name, officer("disclosure"), "0" * 64)) == "signoff.moved-on"
        strict = with_rules(demo_system, secrecy_own_edit=False)
        assert refused(lambda: check_secrecy(strict, name, officer("duty"))) == "secrecy.own-edit"
        assert check_secrecy(desk, name, officer("duty")).role is Role.DUTY_OFFICER
        assert refused(lambda: check_secrecy(desk, name, officer("disclosure"))) == "secrecy.done"
        settable_clock.advance(days=30)
        later = proposed(demo_system, officer).warning_id
        assert refused(lambda: check_secrecy(desk, later, officer("duty"))) == "signoff.off-shift"

    def test_blue_stays_inside_and_needs_none(self, demo_system: System, officer: Officer) -> None:
        made = proposed(demo_system, officer, {HAIYANG: Level.BLUE})
        edit(demo_system.desk, made.warning_id, {"action.blue.zh": "请留意雨情"}, officer("leader"))
        sign(demo_system.desk, made.warning_id, officer("duty"))
        assert release(demo_system.desk, made.warning_id, officer("duty"))


def talk(desk: Desk, clock: SettableClock, name: str, actor: Actor, agreed: bool = True, **changes: object) -> object:
    given = {"spoke_with": "市气象台 会商员丁", "spoken_at": clock.now() - timedelta(minutes=9), "words": "同意黄色"}
    return record_consultation(desk, name, agreed=agreed, actor=actor, **{**given, **changes})  # type: ignore[arg-type]


class TestConsultation:
    def test_it_counts_only_where_the_policy_says_so(
        self, demo_system: System, officer: Officer, settable_clock: SettableClock
    ) -> None:
        made, counting = (
            proposed(demo_system, officer),
            with_rules(demo_system, consultation_counts=frozenset({Level.YELLOW})),
        )
        talk(counting, settable_clock, made.warning_id, officer("duty"))
        for name in ("duty", "leader"):
            sign(counting, made.warning_id, officer(name))
        assert refused(lambda: release(demo_system.desk, made.warning_id, officer("duty"))) == "release.unsigned"
        assert release(counting, made.warning_id, officer("duty"))
        (released,) = entries(demo_system, made.warning_id, "bulletin.released")
        signers = released["signed_by"]
        assert isinstance(signers, list)
        assert {one["role"] for one in signers} == {"duty-officer", "leader"}  # a talk is no signature
        (entry,) = entries(demo_system, made.warning_id, "proposal.consulted")
        assert (entry["spoke_with"], entry["agreed"], entry["counts"]) == ("市气象台 会商员丁", True, True)
        assert entry["package_sha256"] == made.package_sha256

    def test_a_no_takes_a_yes_back_and_an_edit_both(
        self, demo_system: System, officer: Officer, settable_clock: SettableClock
    ) -> None:
        desk, made = (
            with_rules(demo_system, consultation_counts=frozenset({Level.YELLOW})),
            proposed(demo_system, officer),
        )
        talk(desk, settable_clock, made.warning_id, officer("duty"))
        assert missing(demo_system, desk.policy, made) == ["duty-officer", "leader"]
        settable_clock.advance(minutes=1)
        talk(desk, settable_clock, made.warning_id, officer("duty"), agreed=False, words="雨带偏南，建议不发")
        assert missing(demo_system, desk.policy, made) == ["duty-officer", "leader", "observatory"]
        talk(desk, settable_clock, made.warning_id, officer("duty"))
        edit(desk, made.warning_id, {"action.yellow.zh": "请远离沟谷"}, officer("duty"))
        assert "observatory" in missing(demo_system, desk.policy, made)

    def test_refusals(self, demo_system: System, officer: Officer, settable_clock: SettableClock) -> None:
        desk, name, duty = demo_system.desk, proposed(demo_system, officer).warning_id, officer("duty")
        now = settable_clock.now()
        for changes, key in (
            ({"words": " "}, "counsel.text"),
            ({"spoke_with": "x" * 501}, "counsel.text"),
            ({"words": "回拨 138 0000 0000"}, "counsel.phone"),
            ({"spoke_with": "值班 0535-1234567"}, "counsel.phone"),
            ({"spoken_at": now + timedelta(minutes=1)}, "counsel.spoken-at"),
            ({"spoken_at": now - timedelta(hours=25)}, "counsel.spoken-at"),
            ({"package_sha256": "0" * 64}, "signoff.moved-on"),
        ):
            assert refused(lambda c=changes: talk(desk, settable_clock, name, duty, **c)) == key  # type: ignore[misc]
        assert refused(lambda: talk(desk, settable_clock, name, officer("leader"))) == "people.role-missing"
        settable_clock.advance(days=30)
        assert refused(lambda: talk(desk, settable_clock, name, duty)) == "signoff.off-shift"


def missing(system: System, policy: Policy, made: Proposal) -> list[str]:
    def seen(work: UnitOfWork) -> list[str]:
        warning = work.warnings.get(made.warning_id)
        assert warning is not None
        found = warning_view(work, warning, policy)["missing"]
        assert isinstance(found, list)
        return found

    with system.store.read() as work:
        return seen(work)


def test_comments_stay_with_their_version(demo_system: System, officer: Officer) -> None:
    desk, made = demo_system.desk, proposed(demo_system, officer)
    comment(desk, made.warning_id, "请核对 地名", officer("leader"))
    edit(desk, made.warning_id, {"action.yellow.zh": "请远离沟谷"}, officer("duty"))
    comment(desk, made.warning_id, "已改", officer("duty"))
    with demo_system.store.read() as work:
        found = work.counsel.comments(made.warning_id)
    assert [(one.version, one.text, one.user) for one in found] == [(1, "请核对 地名", "leader"), (2, "已改", "duty")]
    assert [entry["version"] for entry in entries(demo_system, made.warning_id, "proposal.commented")] == [1, 2]
    assert refused(lambda: comment(desk, made.warning_id, " \n ", officer("duty"))) == "counsel.text"


class TestAdjust:
    def test_levels_change_with_a_reason_that_the_ledger_keeps(self, demo_system: System, officer: Officer) -> None:
        desk, made = demo_system.desk, proposed(demo_system, officer)
        wanted = {HAIYANG: Level.ORANGE, QIXIA: Level.YELLOW}
        for reason in ("", "  ", "长" * 501):
            with pytest.raises(Refused) as refusal:
                adjust(desk, made.warning_id, wanted, reason, officer("duty"))
            assert refusal.value.key == "adjust.reason"
        version = adjust(desk, made.warning_id, wanted, "隐患点出现变形", officer("duty"), 1)
        assert {area.code: area.level for area in version.content.areas} == wanted
        assert version.content.reason == "隐患点出现变形"
        assert set(version.content.slots) >= {"action.orange.zh", "action.yellow.en"}
        (entry,) = entries(demo_system, made.warning_id, "proposal.adjusted")
        assert entry["from"] == {HAIYANG: "yellow"}
        assert entry["to"] == {HAIYANG: "orange", QIXIA: "yellow"}
        assert entry["reason"] == "隐患点出现变形"
        fewer = adjust(desk, made.warning_id, {QIXIA: Level.NONE}, "雨带偏南", officer("leader"))
        assert [area.code for area in fewer.content.areas] == [HAIYANG]

    def test_refusals(self, demo_system: System, officer: Officer) -> None:
        desk, name = demo_system.desk, proposed(demo_system, officer).warning_id
        duty = officer("duty")
        assert refused(lambda: adjust(desk, name, {HAIYANG: Level.YELLOW}, "复核", duty)) == "adjust.same"
        assert refused(lambda: adjust(desk, name, {HAIYANG: Level.NONE}, "复核", duty)) == "adjust.nothing-left"
        assert refused(lambda: adjust(desk, name, {HAIYANG: Level.RED}, "复核", duty, 7)) == "review.moved-on"
        assert refused(lambda: adjust(desk, name, {"999999": Level.RED}, "复核", duty)) == "propose.unknown-area"
        assert refused(lambda: adjust(desk, name, {HAIYANG: Level.RED}, "x", officer("observatory"))) == (
            "people.role-missing"
        )
        sign(desk, name, officer("leader"))
        assert refused(lambda: adjust(desk, name, {HAIYANG: Level.RED}, "复核", duty)) == "review.being-signed"


def test_a_reason_that_is_kept_is_bounded_and_holds_no_telephone_number(demo_system: System, officer: Officer) -> None:
    desk, name, duty = demo_system.desk, proposed(demo_system, officer).warning_id, officer("duty")
    acts: dict[str, Callable[[str], object]] = {
        "review.reason-missing": lambda reason: return_for_edit(desk, name, reason, duty),
        "adjust.reason": lambda reason: adjust(desk, name, {HAIYANG: Level.RED}, reason, duty),
    }
    for lacking, act in acts.items():
        for reason, key in ((" ", lacking), ("长" * 501, lacking), ("电 138 0000 0000", "counsel.phone")):
            assert refused(lambda a=act, r=reason: a(r)) == key  # type: ignore[misc]
    assert refused(lambda: dismiss(desk, name, "电 0535-1234567", duty)) == "counsel.phone"
    assert refused(lambda: dismiss(desk, name, "长" * 501, duty)) == "review.reason-missing"
    assert dismiss(desk, name, "2026-07-15 20:00 起\n雨带偏南", duty).status_reason == "2026-07-15 20:00 起 雨带偏南"


class TestTwoOfficers:
    def test_an_edit_while_others_sign_is_refused_until_it_is_returned(
        self, demo_system: System, officer: Officer
    ) -> None:
        desk, made = demo_system.desk, proposed(demo_system, officer)
        text = {"action.yellow.zh": "请远离沟谷"}
        sign(desk, made.warning_id, officer("duty"))
        sign(desk, made.warning_id, officer("leader"))
        with pytest.raises(Refused) as refusal:
            edit(desk, made.warning_id, text, officer("duty"))
        assert (refusal.value.key, refusal.value.facts["users"]) == ("review.being-signed", "leader")
        return_for_edit(desk, made.warning_id, "地名有误", officer("duty"))
        assert edit(desk, made.warning_id, text, officer("duty")).version == 2
        with demo_system.store.read() as work:
            assert all(one.voided_at for one in work.signoffs.of_proposal(made.id))

    def test_ones_own_signature_is_no_obstacle_and_is_void_then(self, demo_system: System, officer: Officer) -> None:
        desk, made = demo_system.desk, proposed(demo_system, officer)
        sign(desk, made.warning_id, officer("duty"))
        edit(desk, made.warning_id, {"action.yellow.zh": "请远离沟谷"}, officer("duty"))
        with demo_system.store.read() as work:
            assert [bool(one.voided_at) for one in work.signoffs.of_proposal(made.id)] == [True]

    def test_nobody_releases_what_another_changed(self, demo_system: System, officer: Officer) -> None:
        desk, made = demo_system.desk, proposed(demo_system, officer)
        changed = edit(desk, made.warning_id, {"action.yellow.zh": "请远离沟谷"}, officer("duty"))
        for name in ("duty", "leader", "observatory"):
            sign(desk, made.warning_id, officer(name))
        seen = made.package_sha256
        assert refused(lambda: release(desk, made.warning_id, officer("duty"), seen)) == "signoff.moved-on"
        assert release(desk, made.warning_id, officer("duty"), changed.package_sha256)


def test_the_linter_keeps_an_action_that_says_nothing_from_being_signed(demo_system: System, officer: Officer) -> None:
    desk, made = demo_system.desk, proposed(demo_system, officer)
    edit(desk, made.warning_id, {"action.yellow.zh": "陡坡沟谷有险"}, officer("duty"))
    with pytest.raises(Refused) as refusal:
        sign(desk, made.warning_id, officer("duty"))
    assert refusal.value.key == "lint.action"
    lenient = with_rules(demo_system, lint_blocks=frozenset())
    assert sign(lenient, made.warning_id, officer("duty"))
