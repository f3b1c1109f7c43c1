"""The live board and an exercise in a real browser: with script and without, wide and at 360 pixels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from selenium.webdriver.support.wait import WebDriverWait

from geowarn.bootstrap import System
from geowarn.demo.play import officer_releases, officers_sign
from geowarn.domain.bulletin import Bulletin
from geowarn.domain.dispatch import Attempt, DispatchState, Outcome
from geowarn.domain.level import Level
from geowarn.pipeline.actor import Actor, find_user
from geowarn.pipeline.exercise_end import finish
from geowarn.pipeline.propose import propose_by_hand

pytestmark = pytest.mark.browser

Open = Callable[[str, str], Any]
Served = tuple[System, str, str]


def check_page(browser: Any, where: str) -> None:
    assert browser.complaints() == [], where
    look_at(browser, where)


def look_at(browser: Any, where: str) -> None:
    """What can be checked where not even axe can run."""
    assert not browser.scrolls_sideways(), where
    assert browser.console_errors() == [], where
    browser.keep(where)


def actor(system: System, name: str) -> Actor:
    with system.store.read() as work:
        return Actor(find_user(work, name), "command line", "test")


@pytest.fixture(scope="module")
def released(served: Served) -> Bulletin:
    """A real warning of yellow, put out by its officers."""
    system = served[0]
    name = propose_by_hand(system.desk, {"370612": Level.YELLOW}, 24, "裂缝", "电话", actor(system, "duty")).warning_id
    officers_sign(system, name)
    return officer_releases(system, name)


def arrive(system: System, bulletin: Bulletin, state: DispatchState, reason: str = "") -> None:
    """One SMS comes to this state."""
    now = system.clock.now()
    with system.store.begin() as work:
        row = next(d for d in work.dispatches.of_bulletin(bulletin.id, "sms") if d.state is DispatchState.NEW)
        (claimed, *_) = work.dispatches.claim(row.shard, "t", now, now, 1)
        after = replace(claimed, state=state, reason=reason or None, delivered_at=now, attempts=1)
        work.dispatches.record([(after, Attempt(claimed.id, now, now, Outcome.DELIVERED, reason))])
        work.commit()


def test_the_board_fills_by_itself_and_leaves_the_focus_alone(
    browser: Open, served: Served, released: Bulletin
) -> None:
    system, board = served[0], f"/console/warnings/{released.warning_id}/board"
    duty = browser("duty", "wide")
    duty.open(board)
    wait = WebDriverWait(duty.driver, 60)
    wait.until(lambda _: "本页随回报自动更新" in duty.text)
    duty.driver.execute_script("window.untouched = true; document.getElementById('channels').focus()")
    arrive(system, released, DispatchState.DELIVERED)
    wait.until(lambda _: "短信送达 1 / " in duty.text)
    assert duty.driver.execute_script("return window.untouched && document.activeElement.id") == "channels"
    arrive(system, released, DispatchState.FAILED, "sms.invalid-number 21211")
    wait.until(lambda _: "请村居核对名单" in duty.text)
    assert "1 个号码没有送到" in duty.text
    check_page(duty, "board-1440")


@pytest.mark.parametrize("act", ["update", "downgrade", "extend", "lift", "cancel"])
def test_each_act_is_previewed_before_it_is_proposed(
    browser: Open, served: Served, released: Bulletin, act: str
) -> None:
    duty = browser("duty", "wide")
    duty.open(f"/console/warnings/{released.warning_id}/act/{act}")
    check_page(duty, f"act-{act}")
    if act in ("update", "downgrade"):
        return  # one yellow area: nothing can fall or rise without another
    if act == "extend":
        script = "let u = document.getElementById('until'), d = new Date(Date.parse(u.value + 'Z') + 36e5);"
        duty.driver.execute_script(f"{script} u.value = d.toISOString().slice(0, 16)")
    duty.fill("#reason", "测试理由")
    duty.submit("main form button")
    assert "各渠道将这样说" in duty.text
    check_page(duty, f"preview-{act}")


@pytest.fixture
def ended(served: Served) -> Iterator[None]:
    """Whatever happens, no exercise outlives its test."""
    yield
    system = served[0]
    with system.store.read() as work:
        running = work.exercises.running()
    if running is not None:
        finish(system.desk, actor(system, "duty"))


@pytest.mark.usefixtures("ended", "released")
def test_an_exercise_that_a_leader_allowed(browser: Open, served: Served) -> None:
    leader = browser("leader", "narrow")
    leader.open("/console/exercise")
    assert "现在不能开始" in leader.text
    check_page(leader, "exercise-idle-360")
    leader.fill("#reason", "年度演练")
    leader.submit("form[action$='/permit'] button")
    assert "已准许一场演练" in leader.text

    duty = browser("duty", "wide")
    duty.open("/console/exercise")
    check_page(duty, "exercise-idle-1440")
    duty.fill("#typed", "演练")
    duty.submit("form[action$='/start'] button")
    code = duty.find("#codeh").text.split()[-1]
    assert duty.find("body").get_attribute("class") == "ex"  # the title may be ringing for a real proposal
    check_page(duty, "exercise-1440")
    leader.open("/console/exercise")
    check_page(leader, "exercise-360")
    for name in ("duty", "leader", "chief", "observatory"):
        signer = browser(name, "wide" if name == "duty" else "narrow")
        signer.open("/console/exercise")
        look_at(signer, f"exercise-{name}")
        signer.fill("#typ", "演练")
        signer.fill("#code", code)
        signer.submit("form[action$='/sign'] button")
    duty.open("/console/exercise")
    duty.fill("#typ", "演练")
    duty.submit("form[action$='/release'] button")
    assert duty.path.endswith("/board")
    assert "【演练】" in duty.find("h1").text
    check_page(duty, "exercise-board-1440")
    leader.open(duty.path)
    check_page(leader, "exercise-board-360")
    duty.open("/console/exercise")
    duty.submit("form[action$='/end'] button")
    assert "取消通知" in duty.text
    check_page(duty, "exercise-report-1440")
    leader.open(f"{duty.path}?lang=en")
    check_page(leader, "exercise-report-360")
    leader.open("/console/?lang=zh")
