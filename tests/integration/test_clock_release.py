"""Release first, review after: what silence releases, what it never does, and what is owed then."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.integration.clock_desk import CHAIN, HAIYANG, ClockDesk
from tests.integration.conftest import SettableClock, fresh_code

from geowarn.bootstrap import System
from geowarn.domain.errors import NotFound, Refused
from geowarn.domain.level import Level
from geowarn.domain.people import Role
from geowarn.domain.warning import Act, Proposal, ProposalStatus, WarningStatus
from geowarn.pipeline.actor import Actor
from geowarn.pipeline.change import lift
from geowarn.pipeline.escalation_acts import acknowledge
from geowarn.pipeline.notice_text import NoticeWords
from geowarn.pipeline.release import retract, retraction_words
from geowarn.pipeline.review import dismiss, return_for_edit

MINUTE = timedelta(minutes=1)


@pytest.fixture
def desk(demo_system: System, officer: Callable[[str], Actor], settable_clock: SettableClock) -> ClockDesk:
    return ClockDesk(demo_system, officer, settable_clock)


def test_silence_at_red_releases_marked_and_only_where_the_policy_says_so(desk: ClockDesk) -> None:
    desk.release_first_at(Level.RED)
    proposal = desk.proposed(Level.RED)
    desk.run(minutes=11.9)
    assert desk.loud(proposal.warning_id)
    desk.run(minutes=0.5)
    with desk.system.store.read() as work:
        (bulletin,) = work.bulletins.of_warning(proposal.warning_id)
        (owed,) = work.emergencies.of_warning(proposal.warning_id)
        final = work.bulletins.artefacts(bulletin.id)
    assert bulletin.package_sha256 == proposal.package_sha256 == owed.package_sha256
    assert set(owed.missing) == set(desk.policy.signers[Level.RED])
    (entry,) = desk.ledger(proposal.warning_id, "bulletin.released")
    assert entry["signed_by"] == []
    assert entry["released_first"]["missing"] == [role.value for role in owed.missing]
    assert [ring["person"] for ring in entry["released_first"]["rung"]] == CHAIN
    public = b"".join(final.values())
    assert not any(word.encode() in public for word in ("补签", "released before", "未经"))
    assert desk.task(proposal.warning_id) is None
    assert desk.loud(bulletin.slug, "after-review")


def test_the_owed_review_ends_by_its_signatures_and_by_nothing_else(desk: ClockDesk) -> None:
    desk.release_first_at(Level.RED)
    proposal = desk.proposed(Level.RED)
    desk.signs(proposal.warning_id, "duty")
    desk.run(minutes=45)
    with desk.system.store.read() as work:
        (bulletin,) = work.bulletins.of_warning(proposal.warning_id)
        (owed,) = work.emergencies.of_warning(proposal.warning_id)
    assert set(owed.missing) == {Role.LEADER, Role.OBSERVATORY, Role.CHIEF}, "the officer's signature stands"
    lifted = lift(desk.desk, proposal.warning_id, "雨停", desk.officer("duty"))
    dismiss(desk.desk, lifted.warning_id, "不解除", desk.officer("duty"))
    assert desk.loud(bulletin.slug, "after-review")
    with pytest.raises(Refused) as other:
        desk.signs_after(bulletin.slug, "leader", "0" * 64)
    assert other.value.key == "clock.other-package"
    for name, key in (("duty", "clock.signed-already"), ("disclosure", "people.role-missing")):
        with pytest.raises(Refused) as refused:
            desk.signs_after(bulletin.slug, name)
        assert refused.value.key == key
    for name in ("leader", "observatory"):
        signed = desk.signs_after(bulletin.slug, name, bulletin.package_sha256)
        assert signed.package_sha256 == bulletin.package_sha256
        assert desk.loud(bulletin.slug, "after-review")
    desk.run(every=30 * MINUTE, hours=5)
    assert [one.step for one in desk.passes(bulletin.slug, "after-review")] == ["after-review:chief"]
    assert desk.loud(bulletin.slug, "after-review"), "overdue rings on"
    desk.signs_after(bulletin.slug, "chief")
    assert desk.task(bulletin.slug, "after-review") is None
    assert desk.passes(bulletin.slug, "after-review") == ()
    assert desk.ledger(proposal.warning_id, "bulletin.after-reviewed")[0]["how"] == "signed"
    with pytest.raises(NotFound):
        desk.signs_after(bulletin.slug, "chief")


def test_the_owed_review_ends_by_the_retraction(desk: ClockDesk) -> None:
    desk.release_first_at(Level.RED)
    proposal = desk.proposed(Level.RED)
    desk.run(minutes=13)
    with desk.system.store.read() as work:
        (bulletin,) = work.bulletins.of_warning(proposal.warning_id)
    code = fresh_code(desk.system, "duty")
    retract(desk.desk, proposal.warning_id, retraction_words(bulletin)[0], desk.officer("duty"), code)
    assert desk.task(bulletin.slug, "after-review") is None
    assert desk.ledger(proposal.warning_id, "bulletin.after-reviewed")[0]["how"] == "retracted"


def bars(desk: ClockDesk, proposal: Proposal) -> list[str]:
    """Why it was not released when its chain had been silent."""
    assert desk.loud(proposal.warning_id), "what may not go out rings on"
    with desk.system.store.read() as work:
        assert work.bulletins.of_warning(proposal.warning_id) == ()
    found = desk.ledger(proposal.warning_id, "escalation.not-released")
    return list(found[0]["bars"]) if found else []


def test_as_shipped_silence_releases_nothing(desk: ClockDesk) -> None:
    proposal = desk.proposed(Level.RED)
    desk.run(every=MINUTE, minutes=13)
    assert bars(desk, proposal) == []


def test_silence_releases_nothing_else(desk: ClockDesk) -> None:
    desk.release_first_at(Level.RED)
    calm = desk.proposed(Level.ORANGE)
    own = desk.proposed(Level.RED, editor="duty")
    returned = desk.proposed(Level.RED)
    return_for_edit(desk.desk, returned.warning_id, "再看", desk.officer("duty"))
    withdrawn = desk.proposed(Level.RED, act=Act.CANCEL)
    desk.run(every=3 * MINUTE, minutes=27)  # who wrote it has taken it in hand for a quarter of an hour
    assert bars(desk, calm) == []
    assert bars(desk, own) == ["one-person"]
    assert bars(desk, returned) == ["returned"]
    assert bars(desk, withdrawn) == ["lowers"]


def test_silence_releases_no_exercise(desk: ClockDesk) -> None:
    """An exercise is under review only while one runs."""
    desk.release_first_at(Level.RED)
    exercise = desk.exercise(Level.RED)
    desk.run(every=3 * MINUTE, minutes=27)
    assert "series" in bars(desk, exercise)


def test_what_has_fallen_since_the_ring_is_not_released(desk: ClockDesk) -> None:
    """The chain was frozen at red, where silence releases; at yellow it does not, whatever the chain says."""
    desk.release_first_at(Level.RED)
    red = desk.proposed(Level.RED)
    desk.run(every=MINUTE, minutes=10)
    desk.becomes(red, {HAIYANG: Level.YELLOW})
    (one,) = desk.passes(red.warning_id)
    assert one.level is Level.RED
    desk.run(every=MINUTE, minutes=3)
    assert bars(desk, red) == ["policy"]
    desk.becomes(red, {HAIYANG: Level.RED})
    desk.run(every=MINUTE, minutes=13)
    with desk.system.store.read() as work:
        (bulletin,) = work.bulletins.of_warning(red.warning_id)
    assert bulletin.content.highest is Level.RED


def test_nothing_is_released_once_the_policy_forbids_it(desk: ClockDesk) -> None:
    desk.release_first_at(Level.RED)
    proposal = desk.proposed(Level.RED)
    desk.run(every=MINUTE, minutes=11)
    desk.policy = desk.system.policy
    desk.run(every=MINUTE, minutes=2)
    assert bars(desk, proposal) == ["policy"]


def test_what_nobody_released_though_it_was_signed_is_told_of_too(desk: ClockDesk) -> None:
    desk.release_first_at(Level.RED)
    proposal = desk.proposed(Level.RED)
    for name in ("duty", "leader", "observatory", "chief"):
        desk.signs(proposal.warning_id, name)
    desk.run(every=MINUTE, minutes=13)
    with desk.system.store.read() as work:
        (bulletin,) = work.bulletins.of_warning(proposal.warning_id)
        assert work.emergencies.of_warning(proposal.warning_id) == ()
        notices = work.notices.of_subject(bulletin.id)
    words = NoticeWords(desk.system.templates, desk.system.facts)
    assert {notice.person for notice in notices} >= set(CHAIN)
    assert {notice.facts["level"] for notice in notices} == {"red"}
    for notice in notices:
        assert "签名已齐，已按预案自动发布" in words.text(replace(notice, language="zh"), True)
        said = words.text(replace(notice, language="en"), True)
        assert "had every signature and was released by the written rule" in said
        assert "lacks" not in said


def test_a_release_that_cannot_be_made_rings_on(desk: ClockDesk) -> None:
    desk.release_first_at(Level.RED)
    proposal = desk.proposed(Level.RED)
    desk.clock.advance(hours=25)
    advanced = desk.clock.now()
    desk.run(minutes=20)
    assert desk.clock.now() > advanced
    assert desk.loud(proposal.warning_id)
    found = desk.ledger(proposal.warning_id, "escalation.not-released")
    assert (found[0]["bars"], found[0]["reason"]) == (["refused"], "release.expired")


def test_after_an_outage_everybody_is_rung_and_has_their_time_before_anything_is_released(desk: ClockDesk) -> None:
    desk.release_first_at(Level.RED)
    proposal = desk.proposed(Level.RED)
    desk.tick(hours=2)
    assert [name for name, _ in desk.rung(proposal.warning_id)] == CHAIN
    desk.run(minutes=2)
    with desk.system.store.read() as work:
        assert work.bulletins.of_warning(proposal.warning_id) == ()
    desk.run(minutes=2)
    with desk.system.store.read() as work:
        assert len(work.bulletins.of_warning(proposal.warning_id)) == 1
        warning = work.warnings.get(proposal.warning_id)
        assert work.proposals.of_warning(proposal.warning_id)[0].status is ProposalStatus.RELEASED
    assert warning is not None
    assert warning.status is WarningStatus.IN_FORCE


def test_an_answer_after_the_last_second_comes_before_the_release(desk: ClockDesk) -> None:
    desk.release_first_at(Level.RED)
    proposal = desk.proposed(Level.RED)
    desk.run(minutes=11.9)
    desk.clock.advance(seconds=30)  # over, and no tick yet
    acknowledge(desk.desk, proposal.warning_id, desk.officer("chief"))
    desk.run(minutes=2)
    with desk.system.store.read() as work:
        assert work.bulletins.of_warning(proposal.warning_id) == ()
    assert desk.must_task(proposal.warning_id).acknowledged_by == "chief"
