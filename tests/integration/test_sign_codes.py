"""Signing from the telephone: one code, one person, one version, one use, a short time; and no visit that signs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from starlette.testclient import TestClient
from tests.integration.conftest import SettableClock, fresh_code
from tests.integration.test_hooks import call

from geowarn.bootstrap import System
from geowarn.demo.setting import password_of
from geowarn.domain.errors import Refused
from geowarn.domain.level import Level
from geowarn.domain.people import Role
from geowarn.domain.review import SignCode
from geowarn.domain.warning import Proposal, ProposalStatus
from geowarn.pipeline.actor import Actor, find_user
from geowarn.pipeline.notice_text import NoticeWords
from geowarn.pipeline.phones import set_phone
from geowarn.pipeline.propose import propose_by_hand
from geowarn.pipeline.release import release
from geowarn.pipeline.review import edit, return_for_edit
from geowarn.pipeline.sign_codes import MOST_ASKED, ask, ask_again, may_be_asked, return_by_code, sign_by_code
from geowarn.pipeline.signed_texts import signed_by_text
from geowarn.pipeline.signoff import sign
from geowarn.web.app import create_app

Officer = Callable[[str], Actor]
OURS = {"Sec-Fetch-Site": "same-origin"}
HAIYANG = "370687"


def proposed(system: System, officer: Officer, level: Level = Level.YELLOW) -> Proposal:
    return propose_by_hand(system.desk, {HAIYANG: level}, 24, "后山出现裂缝", "村巡查员报告", officer("duty"))


def sent(system: System, code: SignCode) -> str:
    """The code as it stands in the outbox, for the telephone alone."""
    with system.store.read() as work:
        (notice,) = work.notices.of_subject(f"{code.warning_id}/{code.id}")
    return str(notice.facts["code"])


def wrong(right: str) -> str:
    return f"{(int(right) + 1) % 1_000_000:06d}"


def refused(act: Callable[[], object]) -> str:
    with pytest.raises(Refused) as refusal:
        act()
    return refusal.value.key


@pytest.fixture
def asked(demo_system: System, officer: Officer) -> SignCode:
    return ask(demo_system.desk, proposed(demo_system, officer).warning_id, "leader", officer("duty"))


def test_the_code_signs_once_as_the_person_it_was_sent_to(demo_system: System, asked: SignCode) -> None:
    desk, right = demo_system.desk, sent(demo_system, asked)
    signoff = sign_by_code(desk, asked.id, f" {right[:3]} {right[3:]}", "192.0.2.7")
    assert (signoff.user, signoff.role, signoff.via) == ("leader", Role.LEADER, "phone")
    assert (signoff.second_factor, signoff.package_sha256) == ("sms-code", asked.package_sha256)
    assert refused(lambda: sign_by_code(desk, asked.id, right, "192.0.2.7")) == "code.used"


def test_of_many_at_once_one_signs(demo_system: System, asked: SignCode) -> None:
    right = sent(demo_system, asked)

    def attempt(_: int) -> str:
        try:
            return sign_by_code(demo_system.desk, asked.id, right, "192.0.2.7").user
        except Refused as refusal:
            return refusal.key

    with ThreadPoolExecutor(4) as pool:
        outcomes = sorted(pool.map(attempt, range(4)))
    assert outcomes == ["code.used"] * 3 + ["leader"]


def test_wrong_codes_are_counted_and_end_it(demo_system: System, asked: SignCode) -> None:
    desk, right = demo_system.desk, sent(demo_system, asked)
    tries = demo_system.policy.review.code_tries
    for left in range(tries - 1, -1, -1):
        with pytest.raises(Refused) as refusal:
            sign_by_code(desk, asked.id, wrong(right), "192.0.2.7")
        assert (refusal.value.key, refusal.value.facts["left"]) == ("code.wrong", left)
    assert refused(lambda: sign_by_code(desk, asked.id, right, "192.0.2.7")) == "code.dead"
    assert refused(lambda: sign_by_code(desk, "NOSUCHCODE", right, "192.0.2.7")) == "code.unknown"


def test_its_time_is_short(demo_system: System, asked: SignCode, settable_clock: SettableClock) -> None:
    right = sent(demo_system, asked)
    settable_clock.advance(minutes=demo_system.policy.review.code_minutes)
    assert refused(lambda: sign_by_code(demo_system.desk, asked.id, right, "192.0.2.7")) == "code.late"


def test_a_newer_code_ends_the_older_one(demo_system: System, officer: Officer, asked: SignCode) -> None:
    newer = ask(demo_system.desk, asked.warning_id, "leader", officer("duty"))
    old, new = sent(demo_system, asked), sent(demo_system, newer)
    assert refused(lambda: sign_by_code(demo_system.desk, asked.id, old, "x")) == "code.replaced"
    assert sign_by_code(demo_system.desk, newer.id, new, "x").user == "leader"


def test_an_outdated_version_is_not_signed(demo_system: System, officer: Officer, asked: SignCode) -> None:
    desk, right = demo_system.desk, sent(demo_system, asked)
    before = edit(desk, asked.warning_id, {"action.yellow.zh": "请远离沟谷"}, officer("duty"))
    assert refused(lambda: sign_by_code(desk, asked.id, right, "x")) == "signoff.moved-on"
    # Back to the very same bytes it is another version all the same.
    text = {"action.yellow.zh": desk.default_slots["action.yellow.zh"]}
    again = edit(desk, before.warning_id, text, officer("duty"))
    assert again.package_sha256 == asked.package_sha256
    assert refused(lambda: sign_by_code(desk, asked.id, right, "x")) == "signoff.moved-on"
    newer = ask_again(desk, asked.id)
    assert newer.proposal_id == again.id
    assert sign_by_code(desk, newer.id, sent(demo_system, newer), "x")


def test_another_person_cannot_use_it(demo_system: System, officer: Officer, asked: SignCode) -> None:
    right, other = sent(demo_system, asked), officer("observatory").user
    act = lambda: sign_by_code(demo_system.desk, asked.id, right, "x", visitor=other)  # noqa: E731
    assert refused(act) == "code.other-person"
    theirs = ask(demo_system.desk, asked.warning_id, "observatory", officer("duty"))
    if right != sent(demo_system, theirs):
        assert refused(lambda: sign_by_code(demo_system.desk, theirs.id, right, "x")) == "code.wrong"


def test_red_takes_the_generator_too(demo_system: System, officer: Officer) -> None:
    desk, made = demo_system.desk, proposed(demo_system, officer, Level.RED)
    code = ask(desk, made.warning_id, "leader", officer("duty"))
    right = sent(demo_system, code)
    assert refused(lambda: sign_by_code(desk, code.id, right, "x")) == "identity.code-needed"
    assert refused(lambda: sign_by_code(desk, code.id, right, "x", "000000")) == "identity.code-wrong"
    signoff = sign_by_code(desk, code.id, right, "x", fresh_code(demo_system, "leader"))
    assert signoff.second_factor == "totp"


def test_what_keeps_a_signature_away_keeps_this_one_away(
    demo_system: System, officer: Officer, settable_clock: SettableClock
) -> None:
    desk = demo_system.desk
    own = proposed(demo_system, officer, Level.BLUE)  # edited by the duty officer, the only signer of blue
    code = ask(desk, own.warning_id, "duty", officer("leader"))
    sign_by_code(desk, code.id, sent(demo_system, code), "x")
    assert refused(lambda: release(desk, own.warning_id, officer("duty"))) == "release.only-editor"
    made = proposed(demo_system, officer)
    code = ask(desk, made.warning_id, "duty", officer("leader"))
    settable_clock.advance(minutes=1)
    right = sent(demo_system, code)
    with demo_system.store.begin() as work:  # the shift ends while the code lives
        shift = work.shifts.at(settable_clock.now())[0]
        assert shift.officer == "duty"
    settable_clock.moment = shift.end
    late = "code.late" if code.expires_at <= shift.end else "signoff.off-shift"
    assert refused(lambda: sign_by_code(desk, code.id, right, "x")) == late
    assert refused(lambda: ask(desk, made.warning_id, "duty", officer("leader"))) == "code.nobody-to-ask"


@pytest.mark.usefixtures("shipped_policy")
def test_no_code_signs_before_the_secrecy_check(demo_system: System, asked: SignCode) -> None:
    right = sent(demo_system, asked)
    assert refused(lambda: sign_by_code(demo_system.desk, asked.id, right, "x")) == "secrecy.unchecked"


def test_who_can_be_asked(demo_system: System, officer: Officer) -> None:
    desk, made = demo_system.desk, proposed(demo_system, officer)
    name = made.warning_id
    sign(desk, name, officer("observatory"))
    with demo_system.store.read() as work:
        asked = {user.name for user in may_be_asked(desk, work, made)}
    assert asked >= {"duty", "leader"}
    assert not asked & {"observatory", "chief", "disclosure", "duty-c"}  # signed, not needed, or off shift
    assert refused(lambda: ask(desk, name, "observatory", officer("duty"))) == "code.nobody-to-ask"
    assert refused(lambda: ask(desk, name, "leader", officer("observatory"))) == "people.role-missing"
    for _ in range(MOST_ASKED):
        ask(desk, name, "leader", officer("duty"))
    assert refused(lambda: ask(desk, name, "leader", officer("duty"))) == "code.too-many"
    set_phone(demo_system.store, demo_system.vault, demo_system.clock, "duty", "", "test")
    assert refused(lambda: ask(desk, name, "duty", officer("leader"))) == "code.nobody-to-ask"
    return_for_edit(desk, name, "地名有误", officer("duty"))
    assert refused(lambda: ask(desk, name, "leader", officer("duty"))) == "signoff.returned"


def test_the_code_is_in_no_ledger_and_in_no_table_of_ours(demo_system: System, asked: SignCode) -> None:
    right = sent(demo_system, asked)
    with pytest.raises(Refused):
        sign_by_code(demo_system.desk, asked.id, wrong(right), "x")
    sign_by_code(demo_system.desk, asked.id, right, "x")
    with demo_system.store.read() as work:
        told = [json.dumps(json.loads(entry.payload)) for entry in work.ledger.entries()]
        kept = work.sign_codes.get(asked.id)
    assert kept is not None
    assert not [text for text in told if re.search(rf"(?<![0-9a-f]){right}(?![0-9a-f])", text)]
    assert right not in repr(kept).replace(kept.code_key, "")
    assert kept.code_key == demo_system.vault.key_of(f"sign-code\n{asked.id}\n{right}")


def test_wordings_vary_and_links_go_only_where_they_arrive(demo_system: System, officer: Officer) -> None:
    name, texts = proposed(demo_system, officer).warning_id, []
    words = NoticeWords(demo_system.templates, demo_system.facts)
    for _ in range(3):
        code = ask(demo_system.desk, name, "leader", officer("duty"))
        with demo_system.store.read() as work:
            (notice,) = work.notices.of_subject(f"{name}/{code.id}")
        right = str(notice.facts["code"])
        filtered, free = words.text(notice, False, False), words.text(notice, True, True)
        assert "http" not in filtered
        assert f"/sign/{code.id}" in free
        for text in (filtered, free):
            assert right in text
            assert code.id in text
        texts.append(filtered.replace(right, "").replace(code.id, ""))
    assert len(set(texts)) == 3
    assert demo_system.pager is not None
    assert not demo_system.pager.takes_links("+8613800000000")
    assert demo_system.pager.takes_links("+12085550101")


def test_disagreeing_returns_it(demo_system: System, asked: SignCode) -> None:
    desk, right = demo_system.desk, sent(demo_system, asked)
    assert refused(lambda: return_by_code(desk, asked.id, right, " ", "x")) == "review.reason-missing"
    assert return_by_code(desk, asked.id, right, "先与气象台会商", "x").status is ProposalStatus.RETURNED
    assert refused(lambda: sign_by_code(desk, asked.id, right, "x")) == "code.used"


# --- the page --------------------------------------------------------------------------------------------------------


@pytest.fixture
def phone(demo_system: System) -> TestClient:
    return TestClient(create_app(demo_system), follow_redirects=True)


def signatures(system: System, code: SignCode) -> int:
    with system.store.read() as work:
        return len(work.signoffs.of_proposal(code.proposal_id))


def test_no_visit_signs(demo_system: System, phone: TestClient, asked: SignCode) -> None:
    right = sent(demo_system, asked)
    with demo_system.store.read() as work:
        before = work.ledger.head()
    page = phone.get(f"/sign/{asked.id}")
    assert page.status_code == 200
    assert "是否同意发布" in page.text
    assert right not in page.text
    for way in (phone.get, phone.head):
        assert way(f"/sign/{asked.id}?code={right}").status_code == 200
    assert phone.head(f"/sign/{asked.id}").text == ""
    assert phone.post(f"/sign/{asked.id}", data={"code": right}).status_code == 403  # another site's form
    with demo_system.store.read() as work:
        assert work.ledger.head() == before
        assert work.sign_codes.get(asked.id) == asked
    assert signatures(demo_system, asked) == 0


def test_the_page_signs_with_the_code_and_says_so(demo_system: System, phone: TestClient, asked: SignCode) -> None:
    right = sent(demo_system, asked)
    page = phone.post(f"/sign/{asked.id}", data={"code": wrong(right)}, headers=OURS)
    assert page.status_code == 409
    assert "口令不对，还可试 4 次" in page.text
    page = phone.post(f"/sign/{asked.id}", data={"code": right}, headers=OURS)
    assert page.status_code == 200
    assert "您已签批" in page.text
    assert "<form" not in page.text
    assert signatures(demo_system, asked) == 1
    assert phone.get("/sign/NOSUCHCODE").status_code == 404
    assert phone.get(f"/sign?reference={asked.id.lower()}").url.path == f"/sign/{asked.id}"
    assert phone.get("/sign?reference=//evil.test").url.path == "/sign"


def test_the_page_of_an_old_version_offers_a_new_code(
    demo_system: System, phone: TestClient, officer: Officer, asked: SignCode
) -> None:
    edit(demo_system.desk, asked.warning_id, {"action.yellow.zh": "请远离沟谷"}, officer("duty"))
    page = phone.get(f"/sign/{asked.id}")
    assert "已有版本 2，本口令作废" in page.text
    assert 'name="code"' not in page.text
    assert "新口令已发到您的手机" in phone.post(f"/sign/{asked.id}/again", headers=OURS).text
    with demo_system.store.read() as work:
        assert len(work.sign_codes.of_warning(asked.warning_id)) == 2


def test_who_is_logged_in_as_another_cannot_sign_with_it(
    demo_system: System, phone: TestClient, asked: SignCode
) -> None:
    form = {"name": "observatory", "password": password_of("observatory")}
    assert phone.post("/console/login", data=form, headers=OURS).status_code == 200
    page = phone.post(f"/sign/{asked.id}", data={"code": sent(demo_system, asked)}, headers=OURS)
    assert "不是发给 observatory 的" in page.text
    assert signatures(demo_system, asked) == 0


def test_disagreeing_on_the_page(demo_system: System, phone: TestClient, asked: SignCode) -> None:
    form = {"code": sent(demo_system, asked), "reason": "级别要改"}
    page = phone.post(f"/sign/{asked.id}/return", data=form, headers=OURS)
    assert "您已退回修改" in page.text


def texted(system: System, person: str, text: str) -> bool:
    with system.store.read() as work:
        user = find_user(work, person)
    return signed_by_text(system.desk, system.vault.open(user.phone_sealed or b""), text)


def reply_of(system: System, code: SignCode, tries: int) -> str:
    with system.store.read() as work:
        (notice,) = work.notices.of_subject(f"{code.warning_id}/{code.id}/{tries}")
    return NoticeWords(system.templates, system.facts).text(notice, can_answer=True)


@pytest.mark.parametrize("form", ["{}", "签 {}", "签批：{}。", "Sign {}"])
def test_the_code_sent_back_as_a_text_signs(demo_system: System, asked: SignCode, form: str) -> None:
    assert texted(demo_system, "leader", form.format(sent(demo_system, asked)))
    with demo_system.store.read() as work:
        (signoff,) = work.signoffs.of_proposal(asked.proposal_id)
        entries = [json.loads(e.payload) for e in work.ledger.entries() if e.kind == "notice.answered"]
    assert (signoff.user, signoff.via, signoff.second_factor) == ("leader", "phone", "sms-code")
    assert entries == [{"meaning": "signature"}]
    assert "已收到您的签批：地质灾害黄色预警" in reply_of(demo_system, asked, 0)


def test_the_provider_hands_the_text_on(demo_system: System, asked: SignCode) -> None:
    with demo_system.store.read() as work:
        number = demo_system.vault.open(find_user(work, "leader").phone_sealed or b"")
    with TestClient(create_app(demo_system)) as client:
        assert call(client, demo_system, "/hooks/twilio/inbound", From=number, Body=sent(demo_system, asked)) == 200
    with demo_system.store.read() as work:
        assert [signoff.user for signoff in work.signoffs.of_proposal(asked.proposal_id)] == ["leader"]


def test_a_wrong_code_sent_back_is_counted_and_its_sender_told(demo_system: System, asked: SignCode) -> None:
    assert texted(demo_system, "leader", wrong(sent(demo_system, asked)))
    assert "没有签成" in reply_of(demo_system, asked, 0)
    with demo_system.store.read() as work:
        held = work.sign_codes.get(asked.id)
        assert held is not None
        assert (held.tries, work.signoffs.of_proposal(asked.proposal_id)) == (1, ())


def test_nobody_else_s_text_and_no_other_words_sign(demo_system: System, asked: SignCode) -> None:
    right = sent(demo_system, asked)
    for person, text in (("chief", right), ("leader", f"{right} {right}"), ("leader", "1"), ("leader", "收到")):
        assert not texted(demo_system, person, text)
    with demo_system.store.read() as work:
        assert work.signoffs.of_proposal(asked.proposal_id) == ()


def test_where_the_second_factor_is_asked_for_no_text_signs(demo_system: System, officer: Officer) -> None:
    warning = proposed(demo_system, officer, Level.RED).warning_id
    code = ask(demo_system.desk, warning, "leader", officer("duty"))
    with demo_system.store.read() as work:
        (notice,) = work.notices.of_subject(f"{warning}/{code.id}")
    assert "回复" not in NoticeWords(demo_system.templates, demo_system.facts).text(notice, can_answer=True)
    assert texted(demo_system, "leader", sent(demo_system, code))
    assert "须在值班台加动态口令" in reply_of(demo_system, code, 0)
    with demo_system.store.read() as work:
        assert work.signoffs.of_proposal(code.proposal_id) == ()


def test_a_text_is_asked_for_only_where_an_answer_can_come_back(demo_system: System, asked: SignCode) -> None:
    with demo_system.store.read() as work:
        (notice,) = work.notices.of_subject(f"{asked.warning_id}/{asked.id}")
    words = NoticeWords(demo_system.templates, demo_system.facts)
    assert "也可直接回复口令" in words.text(notice, can_answer=True)
    assert "回复" not in words.text(notice, can_answer=False)
