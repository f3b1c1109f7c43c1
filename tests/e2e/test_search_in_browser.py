"""The public search on a small phone: from the home page to the answer, read and used by everyone."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from selenium import webdriver
from tests.e2e.conftest import Browser

from geowarn.bootstrap import System
from geowarn.pipeline.search_index import catch_up
from geowarn.scheduler import publish_all

pytestmark = pytest.mark.browser


def test_a_place_is_found_from_the_home_page_at_360_pixels(
    served: tuple[System, str, str], chromium: Callable[[str, str], webdriver.Chrome]
) -> None:
    system, address, _warning = served
    publish_all(system)
    catch_up(system.search_sources)
    seat = Browser(chromium("public", "narrow"), address)
    seat.open("/en/")
    seat.fill("#q", "栖霞")
    seat.submit(".find button")
    assert seat.path.startswith("/en/search?q=")
    assert "Qixia City" in seat.text
    seat.fill("#f-q", "rockfalls")
    seat.submit("form[role=search] button")
    assert seat.find(".hits mark").text.lower() == "rockfalls"
    assert not seat.scrolls_sideways()
    assert seat.complaints() == []
    if shelf := os.environ.get("GEOWARN_SCREENSHOTS"):
        seat.driver.save_screenshot(str(Path(shelf) / "public-search-360.png"))
    seat.submit(".lang")
    assert seat.path.startswith("/search?q=rockfalls")
    assert seat.find("html").get_attribute("lang") == "zh-CN"
    assert seat.complaints() == []
    assert [error for error in seat.console_errors() if "favicon" not in error] == []
