"""From the forecast to the shift report, by the people who do it: every act in a real browser, every channel proven."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.common.exceptions import TimeoutException
from selenium.webdriver.support.wait import WebDriverWait
from tests.e2e.conftest import Browser

from geowarn.bootstrap import System
from geowarn.demo.play import proposal_rises, storm_comes
from geowarn.demo.run import far_end, stations_poll
from geowarn.demo.setting import ACTOR, free_port, open_demo
from geowarn.pipeline.people import assign_shift
from geowarn.pipeline.proof import verify
from geowarn.serving import running

pytestmark = pytest.mark.browser

Chromium = Callable[[str, str], webdriver.Chrome]
NOT_ASKED = "not asked"
CHANNELS = ("website", "sms", "broadcast")


class Room:
    """The duty room of one installation: who sits where, and which code each has used."""

    def __init__(self, system: System, base: str, chromium: Chromium) -> None:
        self.system, self._base, self._chromium = system, base, chromium
        self._seats: dict[str, Browser] = {}
        self._used: dict[str, str] = {}

    def seat(self, person: str, size: str = "wide") -> Browser:
        """A browser in which this person is logged in; one profile a person, so that nobody is logged out."""
        if person not in self._seats:
            seat = Browser(self._chromium(f"walk-{person}", size), self._base)
            seat.log_in(person)
            self._seats[person] = seat
        return self._seats[person]

    def press(self, person: str, page: str, button: str, size: str = "wide") -> None:
        """Read the page, type the second factor where it is asked for, press; again while the page still asks for it.

        On a busy machine a press can be lost, and a code can be past its time before it is taken.
        """
        seat = self.seat(person, size)
        for pressed in range(4):
            seat.open(page)
            if pressed and not seat.driver.find_elements("css selector", button):
                return
            self._type_code(person, seat)
            with suppress(TimeoutException):
                seat.submit(button, 40)
        raise AssertionError(f"{person} pressed {button} in vain: {seat.text}")

    def _type_code(self, person: str, seat: Browser) -> None:
        """A code counts once, so the second signature of half a minute waits until the page shows the next one."""
        code = WebDriverWait(seat.driver, 120, 5.0).until(lambda _: self._fresh_code(person, seat), "no fresh code")
        if code != NOT_ASKED:
            self._used[person] = code
            seat.fill("#code", code)

    def _fresh_code(self, person: str, seat: Browser) -> str:
        """The code beside the field; empty, with the page opened again, where there is none or it has been used."""
        if not seat.driver.find_elements("css selector", "#code"):
            return NOT_ASKED
        shown = [found.text for found in seat.driver.find_elements("css selector", ".factor .mono")]
        if shown and shown[0] != self._used.get(person):
            return shown[0]
        seat.open(seat.path)
        return ""

    def carried_out(self, warning: str) -> None:
        """Secrecy check and every signature, the leaders on phone-sized screens; the officer releases."""
        page, sign = f"/console/warnings/{warning}", "#sign form[action$='/sign'] .btn-1"
        self.press("duty", page, sign)
        self.press("disclosure", page, "form[action$='/secrecy'] button")
        for person in ("leader", "chief"):
            self.press(person, page, sign, "phone")
        self.press("observatory", page, sign)
        duty, release = self.seat("duty"), "#sign form[action$='/release'] .btn-1"
        duty.open(page)
        assert duty.driver.find_elements("css selector", release), duty.find("#sign").text
        duty.submit(release)
        assert duty.path == f"{page}/board"

    def every_channel_is_proven(self, warning: str) -> None:
        """The board says so, and the store."""
        stations_poll(self.system)
        duty = self.seat("duty")
        wait = WebDriverWait(duty.driver, 150, 1.0)
        proven = {name: {"delivered"} for name in CHANNELS}
        wait.until(lambda _: self._states(warning) == proven, f"not every channel of {warning} is proven")
        rows = 2 + len(self.system.stations)
        wait.until(lambda _: duty.find("#channels").text.count("已证实") == rows, "the board does not say so")

    def _states(self, warning: str) -> dict[str, set[str]]:
        with self.system.store.read() as work:
            counts = work.dispatches.counts(work.bulletins.of_warning(warning)[-1].id)
        return {name: {state.value for state, n in counts.get(name, {}).items() if n} for name in CHANNELS}

    def proposes(self, act: str, warning: str, change: Callable[[Browser], object] = lambda _: None) -> None:
        """The officer proposes an act after having seen what it will say and to whom."""
        duty = self.seat("duty")
        duty.open(f"/console/warnings/{warning}/act/{act}")
        change(duty)
        duty.fill("#reason", "演练走查：雨势变化")
        duty.submit("main form .btn-1")
        assert "各渠道将这样说" in duty.text
        duty.submit("main form .btn-1")
        assert duty.path == f"/console/warnings/{warning}"

    def looks_right(self, seat: Browser, where: str) -> None:
        """Nothing for axe-core, nothing sideways, nothing in the browser's own log."""
        assert seat.complaints() == [], where
        assert not seat.scrolls_sideways(), where
        assert seat.console_errors() == [], where
        seat.keep(f"walk-{where}")


def few_numbers(system: System) -> None:
    """Every tenth number stays: here the acts are tried, how many messages go out is tried elsewhere."""
    with system.store.begin() as work:
        for at, recipient in enumerate(work.recipients.all()):
            if at % 10:
                work.recipients.opt_out(recipient.phone_key, system.clock.now())
        work.commit()


@contextmanager
def installation(folder: Path) -> Iterator[tuple[System, str]]:
    port = free_port()
    system = open_demo(folder, port)
    now = system.clock.now().replace(minute=0, second=0, microsecond=0)
    ends = now + timedelta(minutes=100)
    assign_shift(system.store, system.clock, "duty", "duty-b", now - timedelta(hours=7), ends, ACTOR, "leader")
    assign_shift(system.store, system.clock, "duty-b", "duty", ends, ends + timedelta(hours=12), ACTOR, "leader")
    few_numbers(system)
    with far_end(system), running(system, "127.0.0.1", port):
        yield system, f"http://127.0.0.1:{port}"
    system.store.dispose()


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory, chromium: Chromium) -> Iterator[Room]:
    with installation(tmp_path_factory.mktemp("walk") / "data") as (system, base):
        yield Room(system, base, chromium)


def rise(duty: Browser) -> None:
    """One yellow area goes up to orange."""
    choice = "//select[starts-with(@name, 'level.')][option[@selected and @value='yellow']]"
    duty.driver.find_element("xpath", f"{choice}/option[@value='orange']").click()


def test_from_the_forecast_to_the_shift_report(room: Room) -> None:
    system, duty = room.system, room.seat("duty")
    assert "当前无生效预警" in duty.text
    proposal = proposal_rises(system, storm_comes(system))
    assert proposal is not None
    warning, page = proposal.warning_id, f"/console/warnings/{proposal.warning_id}"

    wait = WebDriverWait(duty.driver, 60, 1.0)
    wait.until(lambda _: duty.driver.find_elements("css selector", ".ringing a"), "nothing rings")
    duty.submit(".ringing a")
    assert duty.path == page
    duty.submit("#sign form.act .btn")  # I have it
    room.looks_right(duty, "review")
    duty.press("#edit summary")
    duty.fill("textarea[name='slot.action.red.zh']", "请立即撤到安置点，解除前不要返回")
    duty.submit("#edit button")
    assert "版本 2" in duty.text

    room.carried_out(warning)
    room.every_channel_is_proven(warning)
    room.looks_right(duty, "board")
    for person in ("leader", "chief"):
        phone = room.seat(person)
        phone.open(f"{page}/board")
        room.looks_right(phone, f"board-{person}-phone")

    room.proposes("update", warning, rise)
    room.carried_out(warning)
    room.every_channel_is_proven(warning)

    room.proposes("lift", warning)
    room.carried_out(warning)
    room.every_channel_is_proven(warning)
    with system.store.read() as work:
        held = work.warnings.get(warning)
        acts = [bulletin.act.value for bulletin in work.bulletins.of_warning(warning)]
    assert held is not None
    assert (held.status.value, acts) == ("lifted", ["issue", "update", "lift"])

    duty.open("/console/roster")
    duty.fill("#notes", "雨已停，注意前期饱和。")
    duty.submit("form[action$='/hand-over'] button")
    following = room.seat("duty-b")
    following.open("/console/roster")
    room.looks_right(following, "roster")
    following.submit("form[action$='/take-over'] button")
    with system.store.read() as work:
        (handed,) = work.roster.handovers(1)
    following.submit(f"#handover a[href$='/shifts/{handed.shift}'], a[href$='/shifts/{handed.shift}']")
    for told in ("雨已停，注意前期饱和。", "1号", "2号", "3号"):
        assert told in following.text
    room.looks_right(following, "shift-report")
    assert verify(system.store)[1] is None
