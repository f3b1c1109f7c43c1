"""What rings, in a real browser: heard of without a reload, time running down, one press, and the owed review."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from selenium.webdriver.support.ui import WebDriverWait
from tests.e2e.conftest import Browser
from tests.integration.clock_desk import ClockDesk
from tests.integration.conftest import SettableClock

from geowarn.bootstrap import open_system
from geowarn.demo.setting import free_port, open_demo, put_on_duty
from geowarn.domain.level import Level
from geowarn.pipeline.actor import Actor, find_user
from geowarn.serving import web_server

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def ringing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ClockDesk, str]]:
    """A demo whose clock the test moves, served; nothing waits yet."""
    folder, port = tmp_path_factory.mktemp("clock") / "data", free_port()
    made = open_demo(folder, port)
    put_on_duty(made)
    made.store.dispose()
    clock = SettableClock(datetime.now(UTC))
    system = open_system(Path(folder), clock)

    def officer(name: str) -> Actor:
        with system.store.read() as work:
            return Actor(find_user(work, name), "command line", "test")

    with web_server(system, "127.0.0.1", port):
        yield ClockDesk(system, officer, clock), f"http://127.0.0.1:{port}"
    system.store.dispose()


@pytest.fixture
def at_desk(browser: Callable[[str, str], Browser], ringing: tuple[ClockDesk, str]) -> Callable[[str, str], Browser]:
    def named(person: str, size: str) -> Browser:
        seat = Browser(browser("", size).driver, ringing[1])
        seat.driver.delete_all_cookies()
        seat.log_in(person)
        seat.console_errors()  # those of whoever sat here before
        return seat

    return named


def check(seat: Browser, where: str) -> None:
    assert seat.complaints() == [], where
    assert not seat.scrolls_sideways(), where
    assert seat.console_errors() == [], where


def test_it_is_heard_without_a_reload_and_taken_with_one_press(
    ringing: tuple[ClockDesk, str], at_desk: Callable[[str, str], Browser]
) -> None:
    desk, _ = ringing
    seat = at_desk("duty", "wide")
    seat.open("/console/")
    wait = WebDriverWait(seat.driver, 30)
    wait.until(lambda driver: driver.execute_script("return document.readyState") == "complete")
    seat.driver.execute_async_script("setTimeout(arguments[0], 6000)")  # the first look is what it compares with
    proposal = desk.proposed(Level.RED)
    wait.until(lambda driver: "红色预警提案待您处理" in driver.find_element("css selector", ".ringing").text)
    wait.until(lambda driver: driver.title.startswith("●"))
    check(seat, "home, while it rings")

    seat.submit(".ringing a")
    assert seat.path == f"/console/warnings/{proposal.warning_id}"
    before = seat.find(".due .left").text
    wait.until(lambda driver: driver.find_element("css selector", ".due .left").text != before)
    seat.submit("#sign form.act .btn")
    chain = str(seat.find("details.clock").get_attribute("textContent"))
    assert "值班员甲" in chain
    assert "已应答" in chain
    for size in ("wide", "phone"):
        reader = at_desk("duty", size)
        for language in ("zh", "en"):
            for path in ("/console/", f"/console/warnings/{proposal.warning_id}"):
                reader.open(f"{path}?lang={language}")
                if "warnings" in path:
                    reader.press("details.clock summary")
                check(reader, f"{path} {size} {language}")


def test_the_owed_review_reads_and_signs_on_a_telephone(
    ringing: tuple[ClockDesk, str], at_desk: Callable[[str, str], Browser]
) -> None:
    desk, _ = ringing
    desk.release_first_at(Level.RED)
    proposal = desk.proposed(Level.RED)
    desk.run(minutes=13)
    page = f"/console/warnings/{proposal.warning_id}"
    for size in ("wide", "phone"):
        seat = at_desk("leader", size)
        for path in ("/console/", f"{page}/after-review", f"{page}/board?still=1"):
            seat.open(path)
            check(seat, f"{path} {size}")
    seat.open(f"{page}/after-review?lang=zh")
    assert "已先行发布" in seat.find("h1").text
