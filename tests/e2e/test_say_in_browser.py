"""Somebody with a small phone reports a crack; the officer on duty reads it, and the phone shows what became of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver import ActionChains
from tests.e2e.conftest import Browser
from tests.unit.photo_samples import with_exif

from geowarn.bootstrap import System
from geowarn.scheduler import publish_all

pytestmark = pytest.mark.browser


def test_a_crack_is_reported_without_script_at_360_pixels_and_answered(
    served: tuple[System, str, str],
    chromium: Callable[[str, str], webdriver.Chrome],
    browser: Callable[[str, str], Any],
    tmp_path: Path,
) -> None:
    system, address, _warning = served
    publish_all(system)
    photo = tmp_path / "crack.jpg"
    photo.write_bytes(with_exif(6))
    seat = Browser(chromium("public", "narrow"), address)
    seat.open("/say")
    assert seat.driver.find_elements("css selector", "script") == []
    seat.press("input[value=observation]")
    seat.press("input[value=crack]")
    seat.fill("#text", "村后山坡裂缝两指宽")
    picture = seat.find(".press")
    assert picture.size["width"] == 290  # with its border: the same on every screen, so that a press is a place
    seat.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", picture)
    ActionChains(seat.driver).move_to_element_with_offset(picture, 20, 30).click().perform()
    seat.driver.implicitly_wait(30)
    assert "已标出" in seat.find("#map [role=status]").text
    seat.driver.implicitly_wait(0)
    assert float(seat.find("#lon").get_attribute("value") or 0) > 120
    assert seat.find("#text").get_attribute("value") == "村后山坡裂缝两指宽"
    assert not seat.scrolls_sideways()
    assert seat.complaints() == []
    seat.keep("public-say-360")
    seat.fill("#contact", "call me")
    seat.find("#photo").send_keys(str(photo))
    seat.submit(".say .btn-1")
    if "发得太快" in seat.text:  # a test is quicker than a person
        ActionChains(seat.driver).pause(3).perform()
        seat.submit(".say .btn-1")
    assert seat.find("#contact").get_attribute("aria-invalid") == "true"
    assert seat.complaints() == []
    seat.find("#contact").clear()
    seat.find("#photo").send_keys(str(photo))
    seat.submit(".say .btn-1")
    number, word = (found.text for found in seat.driver.find_elements("css selector", ".receipt dd"))
    assert "照片也收到了" in seat.text
    assert seat.complaints() == []
    seat.keep("public-say-receipt-360")

    officer = browser("duty", "wide")
    officer.open(f"/console/voices/{number}")
    assert "村后山坡裂缝两指宽" in officer.text
    for image in officer.driver.find_elements("css selector", "img.shot"):
        assert officer.driver.execute_script("return arguments[0].naturalWidth", image) > 0
    assert officer.complaints() == []
    officer.keep("console-voice")
    officer.fill("#n-close", "已派人查看")
    officer.submit("form[action$='/acts/close'] button")
    assert officer.console_errors() == []

    seat.open("/en/say")
    seat.fill("#number", number)
    seat.fill("#word", word.lower())
    seat.submit(".look .btn")
    assert "已派人查看" in seat.text
    assert seat.complaints() == []
    mine = [error for error in seat.console_errors() if "422" not in error and "favicon" not in error]
    assert mine == []
