"""A subscription on a small phone, by keyboard and without a script: from the home page to the last button."""

from __future__ import annotations

import os
import re
from base64 import b64decode
from collections.abc import Callable
from pathlib import Path

import pytest
from selenium import webdriver
from tests.e2e.conftest import Browser

from geowarn.bootstrap import System
from geowarn.domain.dispatch import Outcome
from geowarn.pipeline.letter_lane import LetterLane, LetterWords
from geowarn.ports import Letter, Receipt
from geowarn.scheduler import publish_all

pytestmark = pytest.mark.browser


class Postman:
    """Keeps the one letter: what carries it is proved elsewhere."""

    timeout_seconds = 1.0
    text = ""

    def carry(self, letter: Letter) -> Receipt:
        self.text = letter.text
        return Receipt(Outcome.ACCEPTED)


def letter_of(system: System) -> str:
    """The path that the letter of this moment leads to."""
    postman = Postman()
    words = LetterWords(system.templates, system.facts)
    lane = LetterLane(system.store, postman, system.vault, system.clock, words, "test")
    lane.step()
    lane.close()
    found = re.search(r"https?://[^/\s]+(/\S+)", postman.text)
    assert found is not None
    return found.group(1)


def looked_at(seat: Browser, name: str) -> None:
    assert not seat.scrolls_sideways(), name
    assert seat.complaints() == [], name
    if shelf := os.environ.get("GEOWARN_PICTURES"):
        shot = seat.driver.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True})
        (Path(shelf) / f"public-{name}.png").write_bytes(b64decode(shot["data"]))


def test_subscribe_confirm_change_and_end_at_360_pixels(
    served: tuple[System, str, str], chromium: Callable[[str, str], webdriver.Chrome]
) -> None:
    system, address, _warning = served
    publish_all(system)
    seat = Browser(chromium("public", "narrow"), address)
    seat.open("/en/")
    seat.submit(".foot a[href$='subscribe']")
    assert seat.path == "/en/subscribe"
    looked_at(seat, "subscribe-en")
    seat.submit(".lang")
    assert seat.path == "/subscribe"
    looked_at(seat, "subscribe")
    assert [error for error in seat.console_errors() if "favicon" not in error] == []
    seat.fill("#s-mail", "nobody")
    seat.submit("form .btn-1")
    assert seat.find("#fault").is_displayed()
    looked_at(seat, "subscribe-refused")
    seat.fill("#s-mail", "reader@example.org")
    seat.submit("form .btn-1")
    assert seat.path == "/subscribe?step=asked"
    looked_at(seat, "subscribe-asked")
    seat.open(letter_of(system))
    looked_at(seat, "subscribe-confirm")
    seat.submit("form .btn-1")
    looked_at(seat, "subscribe-confirmed")
    seat.open("/subscribe-change")
    looked_at(seat, "subscribe-change")
    seat.fill("#s-mail", "reader@example.org")
    seat.submit("form .btn-1")
    seat.open(letter_of(system))
    looked_at(seat, "subscribe-choices")
    seat.submit("section form .btn")
    looked_at(seat, "subscribe-ended")
    with system.store.read() as work:
        assert work.subscribers.all() == ()
