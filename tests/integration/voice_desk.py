"""A citizen before the public form, and the words they send."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from typing import Any

from starlette.testclient import TestClient
from tests.integration.conftest import SettableClock

from geowarn.bootstrap import System
from geowarn.domain.voice import Said
from geowarn.domain.voice_limits import SayLimits
from geowarn.pipeline.voices import Incoming, Receipt, receive
from geowarn.web.app import create_app

OURS = {"Sec-Fetch-Site": "same-origin"}
HAIYANG, QIXIA = "370687", "370686"
TEXT = "村后山坡裂缝两指宽，下面住三户"
LIMITS = SayLimits()


class Citizen:
    """Opens the form, waits as long as a person does, and sends it."""

    def __init__(self, system: System, clock: SettableClock, language: str = "zh") -> None:
        self.client = TestClient(create_app(system), follow_redirects=False)
        self.clock = clock
        self.address = "/say" if language == "zh" else "/en/say"
        self.page = self.client.get(self.address).text
        self.token = self.hidden("token")

    def hidden(self, name: str) -> str:
        found = re.search(rf'name="{name}" value="([^"]*)"', self.page)
        return html.unescape(found[1]) if found else ""

    def post(self, files: Any = None, **fields: str) -> str:
        """Send the form in its address's language; the page that comes."""
        answer = self.client.post(self.address, data={"token": self.token, **fields}, files=files, headers=OURS)
        self.status, self.page = answer.status_code, answer.text
        return self.page

    def say(self, files: Any = None, **fields: str) -> str:
        """Send a report of a crack in Haiyang, or as changed."""
        self.clock.advance(seconds=5)
        return self.post(files, **{"kind": "observation", "sign": "crack", "text": TEXT, "area": HAIYANG, **fields})

    @property
    def receipt(self) -> tuple[str, str]:
        """Number and word on the page."""
        number, word = re.findall(r'<dd class="mono">([^<]+)</dd>', self.page)
        return number, word

    @property
    def wrong(self) -> str:
        """The sentence of what is wrong, without marks."""
        found = re.search(r'role="alert">(.*?)</p>', self.page)
        return re.sub(r"<[^>]+>", "", found[1]) if found else ""


def incoming(number: int, **changes: Any) -> Incoming:
    """One form, from an address of its own."""
    came = Incoming(
        f"n-{number}", "observation", "crack", "zh", Said(f"{TEXT}{number}"), HAIYANG, address=f"a-{number}"
    )
    return replace(came, **changes)


def heard(system: System, number: int, **changes: Any) -> Receipt:
    return receive(system.desk, incoming(number, **changes), LIMITS)


def tasks(system: System) -> list[tuple[str, str]]:
    """Kind and subject of what waits."""
    with system.store.read() as work:
        return [(t.kind, t.subject) for t in work.tasks.pending() if t.kind.startswith("voice")]
