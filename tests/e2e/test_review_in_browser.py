"""Review and sign-off in a real browser: acts counted, two officers at once, a leader on a small telephone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from tests.e2e.conftest import Browser
from tests.e2e.test_desk_in_browser import check_page

from geowarn.bootstrap import System
from geowarn.domain.level import Level
from geowarn.pipeline.actor import Actor, find_user
from geowarn.pipeline.counsel import comment, record_consultation
from geowarn.pipeline.propose import propose_by_hand
from geowarn.pipeline.review import edit
from geowarn.pipeline.secrecy import check_secrecy
from geowarn.pipeline.sign_codes import ask

pytestmark = pytest.mark.browser

Open = Callable[[str, str], Browser]
Served = tuple[System, str, str]
QIXIA, LAIYANG = "370686", "370682"
MOST_ACTS, MOST_PAGES = 6, 2


def acting(system: System, name: str) -> Actor:
    with system.store.read() as work:
        return Actor(find_user(work, name), "command line", "test")


def proposed(system: System, levels: dict[str, Level]) -> str:
    """A proposal of the leader's, so that the duty officer is not the last editor."""
    return propose_by_hand(system.desk, levels, 24, "后山出现裂缝", "村巡查员报告", acting(system, "leader")).warning_id


def code_in_the_outbox(system: System, subject: str) -> str:
    with system.store.read() as work:
        (notice,) = work.notices.of_subject(subject)
    return str(notice.facts["code"])


class Counted:
    """Counts what a person does and the pages they see."""

    def __init__(self, browser: Browser) -> None:
        self.browser, self.acts = browser, 0
        self.pages = {browser.path.split("#")[0]}

    def submit(self, selector: str) -> None:
        self.browser.submit(selector)
        self.acts += 1
        self.pages.add(self.browser.path.split("#")[0])


def test_from_the_ring_to_the_sign_off_at_yellow(browser: Open, served: Served) -> None:
    system = served[0]
    warning = proposed(system, {QIXIA: Level.YELLOW})
    duty = browser("duty", "wide")
    duty.open("/console/")
    person = Counted(duty)
    person.submit(f"main a[href$='/console/warnings/{warning}']")
    person.submit("form[action$='/secrecy'] button")
    person.submit("#sign form[action$='/sign'] .btn-1")
    assert "等待签名" in duty.text
    with system.store.read() as work:
        proposal = work.proposals.of_warning(warning)[0]
        (signed,) = work.signoffs.of_proposal(proposal.id)
    assert (signed.user, signed.package_sha256) == ("duty", proposal.package_sha256)
    assert person.acts <= MOST_ACTS
    assert len(person.pages) <= MOST_PAGES


def test_a_leader_signs_on_a_small_telephone(browser: Open, served: Served) -> None:
    system = served[0]
    warning = proposed(system, {QIXIA: Level.YELLOW, LAIYANG: Level.YELLOW})
    edit(system.desk, warning, {"action.yellow.zh": "请远离沟谷"}, acting(system, "duty"))
    check_secrecy(system.desk, warning, acting(system, "disclosure"))
    made = ask(system.desk, warning, "leader", acting(system, "duty"))
    code = code_in_the_outbox(system, f"{warning}/{made.id}")
    for size in ("narrow", "wide"):
        phone = browser("", size)
        phone.driver.delete_all_cookies()
        phone.driver.get_log("browser")  # type: ignore[no-untyped-call]  # what other tests left there
        phone.open("/sign")
        check_page(phone, f"door {size}")
        for language in ("en", "zh"):
            phone.open(f"/sign/{made.id}?lang={language}")
            phone.driver.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")
            check_page(phone, f"sign {size} {language}")
    phone = browser("", "narrow")
    phone.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    phone.open("/sign")
    phone.fill("#reference", made.id.lower())
    phone.submit("main .btn-1")
    assert "是否同意发布" in phone.text
    phone.fill("#code", f"{(int(code) + 1) % 1_000_000:06d}")
    phone.submit("form.sign .btn-1")
    assert "口令不对，还可试" in phone.text
    phone.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    phone.fill("#code", code)
    phone.submit("form.sign .btn-1")
    assert "您已签批" in phone.text
    assert phone.complaints() == []
    with system.store.read() as work:
        proposal = work.proposals.of_warning(warning)[0]
        assert [s.user for s in work.signoffs.of_proposal(proposal.id)] == ["leader"]


def test_two_officers_at_once_lose_no_text(browser: Open, served: Served) -> None:
    system = served[0]
    warning = proposed(system, {LAIYANG: Level.ORANGE})
    page, slot = f"/console/warnings/{warning}", "textarea[name='slot.action.orange.zh']"
    duty, leader = browser("duty", "wide"), browser("leader", "narrow")
    for person in (duty, leader):
        person.open(page)
        person.press("#edit summary")
    leader.fill(slot, "请隐患点人员立即撤到安置点")
    leader.submit("#edit button")
    duty.fill(slot, "请隐患点人员撤到村委会")
    duty.submit("#edit button")
    assert "分管领导乙已先存成版本 2" in duty.text
    assert "请隐患点人员立即撤到安置点" in duty.text
    assert "请隐患点人员撤到村委会" in duty.text
    assert duty.complaints() == []
    assert not duty.scrolls_sideways()
    assert duty.find(slot).get_attribute("value") == "请隐患点人员立即撤到安置点"
    duty.fill(slot, "请隐患点人员立即撤到村委会")
    duty.submit("main .btn-1")
    assert "版本 3" in duty.text
    with system.store.read() as work:
        versions = work.proposals.of_warning(warning)
    assert [v.content.slots["action.orange.zh"] for v in versions[:2]] == [
        "请隐患点人员立即撤到村委会",
        "请隐患点人员立即撤到安置点",
    ]
    duty.driver.get_log("browser")  # type: ignore[no-untyped-call]  # the 409 of the conflict is meant


@pytest.mark.parametrize("size", ["narrow", "wide"])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_review_page_with_everything_on_it(browser: Open, served: Served, size: str, language: str) -> None:
    system = served[0]
    warning = proposed(system, {LAIYANG: Level.RED, QIXIA: Level.YELLOW})
    spoken = system.clock.now() - timedelta(minutes=9)
    duty = acting(system, "duty")
    record_consultation(system.desk, warning, "气象台 会商员丁", spoken, True, "同意主雨带判断", duty)
    comment(system.desk, warning, "防御提示照预案", acting(system, "leader"))
    ask(system.desk, warning, "leader", duty)
    edit(system.desk, warning, {"action.red.zh": "有效雨量大，请撤"}, duty)
    person = browser("duty", size)
    person.open(f"/console/warnings/{warning}?lang={language}")
    person.driver.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")
    check_page(person, f"{size} {language}")
    assert ("是行话" in person.text) == (language == "zh")
    person.open(f"/console/warnings/{warning}?lang=zh")
