"""House rules 2, 3, 4 and 7 at the desk: signatures bind to bytes, releases freeze, retraction is ready."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from tests.integration.conftest import fresh_code, signed

from geowarn.bootstrap import System
from geowarn.domain.canonical import sha256_hex
from geowarn.domain.dispatch import DispatchState
from geowarn.domain.errors import Refused
from geowarn.domain.level import Level
from geowarn.domain.package import MARKER, fill, unsealed
from geowarn.domain.warning import Act, Proposal, ProposalStatus, Series, WarningStatus
from geowarn.pipeline import change
from geowarn.pipeline.actor import Actor
from geowarn.pipeline.proof import verify
from geowarn.pipeline.propose import propose_by_hand
from geowarn.pipeline.release import release, retract, retraction_words
from geowarn.pipeline.review import dismiss, edit, return_for_edit
from geowarn.pipeline.signoff import sign
from geowarn.pipeline.watch import ask_before_end, end_validity

Officer = Callable[[str], Actor]
HAIYANG, LAIYANG, QIXIA, MUPING = "370687", "370682", "370686", "370612"


def proposed(system: System, officer: Officer, levels: dict[str, Level] | None = None) -> Proposal:
    wanted = levels or {HAIYANG: Level.YELLOW}
    return propose_by_hand(system.desk, wanted, 24, "后山出现裂缝", "村巡查员报告", officer("duty"))


def sign_all(system: System, officer: Officer, warning_id: str) -> None:
    with system.store.read() as work:
        content = work.proposals.of_warning(warning_id)[0].content
    names = {"duty-officer": "duty"}
    for role in system.policy.required(content):
        signed(system, warning_id, officer(names.get(role.value, role.value)))


def released(system: System, officer: Officer, levels: dict[str, Level] | None = None) -> str:
    proposal = proposed(system, officer, levels)
    sign_all(system, officer, proposal.warning_id)
    release(system.desk, proposal.warning_id, officer("duty"))
    return proposal.warning_id


def test_frozen_bytes_are_the_signed_bytes_with_late_fields_filled(demo_system: System, officer: Officer) -> None:
    warning_id = released(demo_system, officer, {HAIYANG: Level.RED, QIXIA: Level.YELLOW})
    with demo_system.store.read() as work:
        (bulletin,) = work.bulletins.of_warning(warning_id)
        package = work.proposals.package(bulletin.proposal_id)
        final = work.bulletins.artefacts(bulletin.id)
    assert package.sha256 == bulletin.package_sha256
    assert {a.path for a in package.artefacts} == set(final) == set(bulletin.artefacts)
    for artefact in package.artefacts:
        assert fill(artefact.body, bulletin.late) == unsealed(final[artefact.path])
        assert sha256_hex(final[artefact.path]) == bulletin.artefacts[artefact.path]
        assert not MARKER.search(final[artefact.path].decode("utf-8", "ignore"))
    assert bulletin.serial == 1
    assert package.retraction is not None


def test_one_changed_character_voids_every_signature(demo_system: System, officer: Officer) -> None:
    proposal = proposed(demo_system, officer)
    sign_all(demo_system, officer, proposal.warning_id)
    text = proposal.content.slots["action.yellow.zh"]
    return_for_edit(demo_system.desk, proposal.warning_id, "少一个感叹号", officer("leader"))
    edited = edit(demo_system.desk, proposal.warning_id, {"action.yellow.zh": text + "！"}, officer("leader"))
    assert edited.version == 2
    assert edited.package_sha256 != proposal.package_sha256
    with pytest.raises(Refused) as refusal:
        release(demo_system.desk, proposal.warning_id, officer("duty"))
    assert refusal.value.key == "release.unsigned"
    with demo_system.store.read() as work:
        assert all(s.voided_at is not None for s in work.signoffs.of_proposal(proposal.id))
        assert work.bulletins.all() == ()


def test_a_stale_digest_cannot_be_signed(demo_system: System, officer: Officer) -> None:
    proposal = proposed(demo_system, officer)
    edit(demo_system.desk, proposal.warning_id, {"action.yellow.zh": "请远离沟谷"}, officer("leader"))
    with pytest.raises(Refused) as refusal:
        sign(demo_system.desk, proposal.warning_id, officer("duty"), proposal.package_sha256)
    assert refusal.value.key == "signoff.moved-on"


def test_the_last_editor_is_never_the_only_signer(demo_system: System, officer: Officer) -> None:
    proposal = proposed(demo_system, officer, {HAIYANG: Level.BLUE})
    signed(demo_system, proposal.warning_id, officer("duty"))
    with pytest.raises(Refused) as refusal:
        release(demo_system.desk, proposal.warning_id, officer("duty"))
    assert refusal.value.key == "release.only-editor"


def test_nobody_signs_twice_or_off_shift(
    demo_system: System, officer: Officer, settable_clock: pytest.FixtureRequest
) -> None:
    proposal = proposed(demo_system, officer)
    signed(demo_system, proposal.warning_id, officer("leader"))
    with pytest.raises(Refused) as twice:
        signed(demo_system, proposal.warning_id, officer("leader"))
    assert twice.value.key == "signoff.already"
    settable_clock.advance(days=30)  # type: ignore[attr-defined]
    with pytest.raises(Refused) as off_shift:
        signed(demo_system, proposal.warning_id, officer("duty"))
    assert off_shift.value.key == "signoff.off-shift"


def test_releasing_twice_is_impossible_even_at_once(demo_system: System, officer: Officer) -> None:
    proposal = proposed(demo_system, officer)
    sign_all(demo_system, officer, proposal.warning_id)

    def attempt(_: int) -> str:
        try:
            return release(demo_system.desk, proposal.warning_id, officer("duty")).id
        except Refused as refusal:
            return refusal.key

    with ThreadPoolExecutor(4) as pool:
        outcomes = sorted(pool.map(attempt, range(4)))
    assert outcomes.count("review.nothing-open") == 3
    with demo_system.store.read() as work:
        assert len(work.bulletins.all()) == 1


def test_numbers_are_gapless_under_concurrent_releases(demo_system: System, officer: Officer) -> None:
    ids = []
    for _ in range(4):
        proposal = proposed(demo_system, officer)
        sign_all(demo_system, officer, proposal.warning_id)
        ids.append(proposal.warning_id)
    with ThreadPoolExecutor(4) as pool:
        serials = sorted(b.serial for b in pool.map(lambda i: release(demo_system.desk, i, officer("duty")), ids))
    assert serials == [1, 2, 3, 4]


def test_areas_below_the_public_level_are_in_no_artefact(demo_system: System, officer: Officer) -> None:
    warning_id = released(demo_system, officer, {QIXIA: Level.YELLOW, MUPING: Level.BLUE})
    with demo_system.store.read() as work:
        (bulletin,) = work.bulletins.of_warning(warning_id)
        final = work.bulletins.artefacts(bulletin.id)
        rows = work.dispatches.of_bulletin(bulletin.id, "sms")
        muping = {r.phone_key for r in work.recipients.all() if r.area.startswith(MUPING)}
        qixia = {r.phone_key for r in work.recipients.all() if r.area.startswith(QIXIA)}
    for path, body in final.items():
        if path.endswith(".svg"):
            continue  # the map names every area, without a level
        assert MUPING not in body.decode("utf-8", "ignore"), path
        assert "blue" not in path
    assert rows
    assert not {row.target_key for row in rows} & muping
    assert {row.target_key for row in rows} & qixia


def test_a_blue_warning_is_internal(demo_system: System, officer: Officer) -> None:
    proposal = proposed(demo_system, officer, {HAIYANG: Level.BLUE})
    edit_by = propose_by_hand(
        demo_system.desk, {HAIYANG: Level.BLUE}, 24, "雨量接近蓝色", "预报", officer("observatory")
    )
    signed(demo_system, edit_by.warning_id, officer("duty"))
    bulletin = release(demo_system.desk, edit_by.warning_id, officer("duty"))
    assert bulletin.series is Series.INTERNAL
    assert bulletin.artefacts == {}
    with demo_system.store.read() as work:
        assert work.dispatches.of_bulletin(bulletin.id) == ()
    dismiss(demo_system.desk, proposal.warning_id, "重复", officer("duty"))


def test_retraction_reaches_everyone_who_had_the_original_with_one_act(demo_system: System, officer: Officer) -> None:
    warning_id = released(demo_system, officer)
    with demo_system.store.begin() as work:
        (bulletin,) = work.bulletins.of_warning(warning_id)
        sms = work.dispatches.of_bulletin(bulletin.id, "sms")
        work.commit()
    now = demo_system.clock.now()
    with demo_system.store.begin() as work:  # half of them went out
        claimed = work.dispatches.claim(sms[0].shard, "test", now, now + timedelta(minutes=1), 5)
        work.commit()
    with pytest.raises(Refused) as refusal:
        retract(demo_system.desk, warning_id, "撤回", officer("duty"))
    assert refusal.value.key == "release.confirmation"
    undone = retract(
        demo_system.desk, warning_id, retraction_words(bulletin)[0], officer("duty"), fresh_code(demo_system, "duty")
    )
    assert undone.act is Act.RETRACT
    with demo_system.store.read() as work:
        told = {row.target_key for row in work.dispatches.of_bulletin(undone.id, "sms")}
        left = work.dispatches.counts(bulletin.id)["sms"]
        warning = work.warnings.get(warning_id)
        artefacts = work.bulletins.artefacts(undone.id)
    assert told == {row.target_key for row in claimed}
    assert DispatchState.NEW not in left
    assert warning is not None
    assert warning.status is WarningStatus.RETRACTED
    cap = artefacts["website/cap/yellow.xml"].decode()
    assert f"{bulletin.slug}-yellow,{bulletin.late['sent']}" in cap
    assert "<msgType>Cancel</msgType>" in cap
    with pytest.raises(Refused):
        retract(demo_system.desk, warning_id, retraction_words(undone)[0], officer("duty"))


def test_update_extend_and_lift_follow_each_other(demo_system: System, officer: Officer) -> None:
    warning_id = released(demo_system, officer)
    desk = demo_system.desk
    change.update(desk, warning_id, {LAIYANG: Level.ORANGE}, "雨带南压", officer("duty"))
    with pytest.raises(Refused) as pending:
        change.lift(desk, warning_id, "雨停", officer("duty"))
    assert pending.value.key == "change.under-review"
    sign_all(demo_system, officer, warning_id)
    second = release(desk, warning_id, officer("duty"))
    assert second.act is Act.UPDATE
    end = demo_system.clock.now() + timedelta(hours=48)
    change.extend(desk, warning_id, end, "雨未停", officer("duty"))
    sign_all(demo_system, officer, warning_id)
    third = release(desk, warning_id, officer("duty"))
    assert third.content.expires == end
    change.lift(desk, warning_id, "雨停两日，巡查无异常", officer("duty"))
    sign_all(demo_system, officer, warning_id)
    last = release(desk, warning_id, officer("duty"))
    assert [b.serial for b in (second, third, last)] == [2, 3, 4]
    with demo_system.store.read() as work:
        warning = work.warnings.get(warning_id)
    assert warning is not None
    assert warning.status is WarningStatus.LIFTED
    with pytest.raises(Refused):
        change.extend(desk, warning_id, end + timedelta(hours=1), "再延", officer("duty"))


def test_an_update_that_leaves_nothing_public_is_refused(demo_system: System, officer: Officer) -> None:
    warning_id = released(demo_system, officer)
    with pytest.raises(Refused) as refusal:
        change.update(demo_system.desk, warning_id, {HAIYANG: Level.NONE}, "雨停", officer("duty"))
    assert refusal.value.key == "change.nothing-left"


def test_an_ended_validity_is_never_called_lifted(
    demo_system: System, officer: Officer, settable_clock: pytest.FixtureRequest
) -> None:
    warning_id = released(demo_system, officer)
    settable_clock.advance(hours=22, minutes=30)  # type: ignore[attr-defined]
    assert ask_before_end(demo_system.desk) == 1
    assert ask_before_end(demo_system.desk) == 0
    settable_clock.advance(hours=2)  # type: ignore[attr-defined]
    assert end_validity(demo_system.desk) == (warning_id,)
    assert end_validity(demo_system.desk) == ()
    with demo_system.store.read() as work:
        warning = work.warnings.get(warning_id)
        tasks = {task.kind for task in work.tasks.pending()}
        ended = [e for e in work.ledger.entries() if e.kind == "warning.validity-ended"]
    assert warning is not None
    assert warning.status is WarningStatus.VALIDITY_ENDED
    assert "extend-or-lift" in tasks
    assert '"all_clear":false' in ended[0].payload


def test_returned_proposals_must_be_edited_before_anyone_signs(demo_system: System, officer: Officer) -> None:
    proposal = proposed(demo_system, officer)
    return_for_edit(demo_system.desk, proposal.warning_id, "写明地点", officer("leader"))
    with pytest.raises(Refused) as refusal:
        signed(demo_system, proposal.warning_id, officer("duty"))
    assert refusal.value.key == "signoff.returned"
    again = edit(demo_system.desk, proposal.warning_id, {"action.yellow.zh": "请远离陡坡和沟谷"}, officer("duty"))
    assert again.status is ProposalStatus.OPEN


@pytest.mark.parametrize(
    ("slots", "key"),
    [
        ({"title.red.zh": "x"}, "review.unknown-slot"),
        ({"action.yellow.zh": " "}, "review.slot-text"),
        ({"action.yellow.zh": "a\nb"}, "review.slot-text"),
        ({"action.yellow.zh": "x" * 201}, "review.slot-text"),
        ({"action.yellow.zh": "[[late:sent]]"}, "package.marker-in-text"),
    ],
)
def test_bad_slots_change_nothing(demo_system: System, officer: Officer, slots: dict[str, str], key: str) -> None:
    proposal = proposed(demo_system, officer)
    with pytest.raises(Refused) as refusal:
        edit(demo_system.desk, proposal.warning_id, slots, officer("duty"))
    assert refusal.value.key == key
    with demo_system.store.read() as work:
        assert work.proposals.of_warning(proposal.warning_id) == (proposal,)


def test_every_act_leaves_a_chain_that_holds(demo_system: System, officer: Officer) -> None:
    released(demo_system, officer)
    count, fault = verify(demo_system.store)
    assert fault is None
    assert count > 8
