"""The roster with everything it can say at once: a hole, silence, a swap, a hand-over; wide and at 360 px."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.e2e.conftest import SIZES, Browser
from tests.integration.conftest import SettableClock

from geowarn.bootstrap import System, open_system
from geowarn.demo.setting import free_port, open_demo, password_of
from geowarn.domain.duty import Part
from geowarn.pipeline.actor import Actor, find_user
from geowarn.pipeline.people import add_user, assign_shift
from geowarn.pipeline.phones import set_phone
from geowarn.pipeline.roster import watch_roster
from geowarn.pipeline.roster_asks import ask_people, confirm
from geowarn.pipeline.roster_handover import hand_over, take_over
from geowarn.pipeline.roster_swaps import ask_swap
from geowarn.security import hash_password
from geowarn.serving import web_server

pytestmark = pytest.mark.browser

NIGHT = datetime(2026, 7, 22, 18, 52, 40, tzinfo=UTC)  # Thursday 02:52 in Yantai, as in the picture
MONDAY = datetime(2026, 7, 20, 0, 0, tzinfo=UTC)  # 08:00
HALF = timedelta(hours=12)


def act(system: System, name: str) -> Actor:
    with system.store.read() as work:
        return Actor(find_user(work, name), "console", "127.0.0.1")


def fill(system: System, clock: SettableClock) -> None:
    """A week of shifts as a person would have left it: Saturday night has no deputy, one person is silent."""
    people = [("duty-d", "值班员卯", "+12085550108"), ("duty-e", "值班员戊", "+12085550107")]
    for name, shown, phone in people:
        given = (name, shown, name, ["duty-officer"], password_of(name), "test")
        add_user(system.store, system.clock, hash_password, *given)
        set_phone(system.store, system.vault, system.clock, name, phone, "test")
    clock.moment = MONDAY - timedelta(days=4)
    days = [
        "duty-b",
        "duty-d",
        "duty-c",
        "duty-b",
        "duty-d",
        "duty-e",
        "duty-d",
        "duty-b",
        "duty-d",
        "duty-e",
        "duty-d",
    ]
    nights = ["duty-c", "duty-b", "duty", "duty-c", "duty-b", "duty-c", "duty-b", "duty", "duty-c", "duty", "duty-c"]
    for n, (day, night) in enumerate(zip(days, nights, strict=True)):
        start = MONDAY + 2 * n * HALF
        second = (
            "duty-e" if night != "duty-e" and day != "duty-e" else "duty-b" if "duty-b" not in (day, night) else "duty"
        )
        facts = (system.store, system.clock)
        assign_shift(*facts, day, second, start, start + HALF, "test", "leader")
        by_night = None if n == 5 else "duty-d" if n == 3 else second if second != night else "duty"
        assign_shift(*facts, night, by_night, start + HALF, start + 2 * HALF, "test", "leader")


def live(system: System, clock: SettableClock) -> None:
    """From Wednesday 20:00 on: asked, answered, swapped, handed over."""
    desk = system.roster_desk
    with system.store.read() as work:
        evening = {shift.start: shift for shift in work.shifts.between(MONDAY, MONDAY + 22 * HALF)}
    clock.moment = NIGHT - timedelta(hours=6, minutes=46)  # 20:06
    made = hand_over(desk, act(system, "duty-c"), "市气象台提示后半夜南部沿海雨强加大，01:40 时次务必看")
    take_over(desk, made.id, act(system, "duty"))
    ask_people(desk)
    thursday, night = evening[MONDAY + 6 * HALF], evening[MONDAY + 7 * HALF]
    for shift, name in ((thursday, "duty-b"), (thursday, "leader"), (night, "duty-c")):
        confirm(desk, shift.id, Actor(act(system, name).user, "command line", "test"), "")
    ask_swap(desk, act(system, "admin"), evening[MONDAY + 9 * HALF].id, Part.OFFICER, "duty-e", "看病")
    clock.moment = NIGHT
    ask_people(desk)
    watch_roster(desk)


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[System, str]]:
    folder, port = tmp_path_factory.mktemp("roster") / "data", free_port()
    open_demo(folder, port).store.dispose()
    clock = SettableClock(NIGHT)
    system = open_system(folder, clock)
    fill(system, clock)
    live(system, clock)
    with web_server(system, "127.0.0.1", port):
        yield system, f"http://127.0.0.1:{port}"
    system.store.dispose()


@pytest.fixture
def desk(browser: Callable[[str, str], Browser], room: tuple[System, str]) -> Iterator[Callable[[str, int], Browser]]:
    """Somebody's page of this room at a width."""
    found = browser("", "wide")
    before = found.base
    found.base = room[1]
    found.driver.delete_all_cookies()

    def at(person: str, width: int) -> Browser:
        metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        found.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        found.driver.delete_all_cookies()
        found.log_in(person)
        return found

    yield at
    width, height = SIZES["wide"]
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    found.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    found.driver.delete_all_cookies()
    found.base = before


def keep(desk: Browser, name: str, width: int) -> None:
    """The whole page as a picture, where a folder for pictures is given."""
    folder = os.environ.get("GEOWARN_PICTURES")
    if not folder:
        return
    height = desk.driver.execute_script("return document.documentElement.scrollHeight")
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    desk.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    desk.driver.save_screenshot(str(Path(folder) / f"{name}-{width}.png"))


@pytest.mark.parametrize("width", [1440, 360])
@pytest.mark.parametrize("person", ["duty", "leader"])
def test_the_roster_can_be_read_by_everyone(desk: Callable[[str, int], Browser], person: str, width: int) -> None:
    page = desk(person, width)
    for language, said in (("zh", "7月20日至26日值班"), ("en", "On duty from 20 to 26 July")):
        for path in ("/console/roster", "/console/roster/change"):
            page.open(f"{path}?lang={language}")
            if path.endswith("roster"):
                assert page.find("h1").text == said
            assert page.complaints() == []
            assert not page.scrolls_sideways()
            assert page.console_errors() == []
            if language == "zh":
                keep(page, f"roster-{person}{path.removeprefix('/console/roster').replace('/', '-')}", width)
