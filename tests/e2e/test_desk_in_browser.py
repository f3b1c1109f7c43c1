"""The duty desk in a real browser: four people carry one warning out, and every page can be read by everyone."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from geowarn.bootstrap import System

pytestmark = pytest.mark.browser

Open = Callable[[str, str], object]
Served = tuple[System, str, str]


def check_page(browser, where: str) -> None:  # type: ignore[no-untyped-def]
    assert browser.complaints() == [], where
    assert not browser.scrolls_sideways(), where
    assert browser.console_errors() == [], where


@pytest.mark.parametrize("size", ["wide", "phone"])
def test_log_in_page(browser, size: str) -> None:  # type: ignore[no-untyped-def]
    door = browser("", size)
    door.open("/console/login")
    check_page(door, "login")
    door.log_in("nobody")
    assert "账号或口令不对" in door.text
    assert door.complaints() == []


def test_four_people_carry_a_warning_out(browser, served: Served) -> None:  # type: ignore[no-untyped-def]
    system, _, warning = served
    page = f"/console/warnings/{warning}"
    duty = browser("duty", "wide")
    assert duty.path == "/console/"
    assert "当前无生效预警" in duty.text
    check_page(duty, "home")

    duty.open(page)
    assert "海阳市升至红色" in duty.text
    assert "325.34" in duty.text
    check_page(duty, "review")
    duty.press("#edit summary")
    duty.fill("textarea[name='slot.action.red.zh']", "请立即撤到安置点，解除前不要返回")
    duty.submit("#edit button")
    assert "版本 2" in duty.text
    duty.give_code()
    duty.submit("#sign .btn-1")
    assert "等待签名" in duty.text

    checker = browser("disclosure", "wide")
    checker.open(page)
    checker.submit("form[action$='/secrecy'] button")
    assert "保密审查：信息公开员戊" in checker.text

    for name in ("leader", "chief", "observatory"):
        signer = browser(name, "phone")
        signer.open(page)
        check_page(signer, f"review of {name}")
        signer.give_code()
        signer.submit("#sign .btn-1")
    assert "签名已齐" in browser("observatory", "phone").text

    duty.open(page)
    duty.submit("#sign .btn-1")
    assert duty.path == f"{page}/board"
    assert "已发布" in duty.text
    duty.submit("a[href^='?still=1']")
    check_page(duty, "board")
    assert "恢复自动更新" in duty.text
    with system.store.read() as work:
        (bulletin,) = work.bulletins.of_warning(warning)
    assert bulletin.content.slots["action.red.zh"] == "请立即撤到安置点，解除前不要返回"

    phone = browser("leader", "phone")
    pages = (f"{page}/board?still=1&", f"{page}/act/update?", f"{page}/retract?")
    for path in (*pages, "/console/?", "/console/inputs?", "/console/ledger?"):
        for language in ("zh", "en"):
            phone.open(f"{path}lang={language}")
            check_page(phone, f"{path} {language}")
        assert phone.only_by_script(f"{path}lang=en") == set(), path
    duty.open("/console/")
    assert bulletin.number in duty.text
    check_page(duty, "home with a warning")


def test_the_keyboard_reaches_the_way_in(browser) -> None:  # type: ignore[no-untyped-def]
    from selenium.webdriver.common.keys import Keys

    door = browser("", "wide")
    door.open("/console/login")
    focus = "return document.activeElement.getAttribute('href') || document.activeElement.id"
    reached: list[str] = []
    for _ in range(6):
        door.find("body").send_keys(Keys.TAB) if not reached else door.driver.switch_to.active_element.send_keys(
            Keys.TAB
        )
        reached.append(door.driver.execute_script(focus))
    assert reached[0] == "#main"
    assert {"name", "password"} <= set(reached)
