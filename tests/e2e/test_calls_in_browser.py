"""Call and answer in a real browser: the board, who has not answered, the list of doors; both sizes, both languages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from selenium import webdriver
from tests.e2e.conftest import Browser
from tests.integration.conftest import SettableClock, fresh_code
from tests.unit.calls_bench import texts_leave

from geowarn.bootstrap import System, open_system
from geowarn.demo.setting import free_port, open_demo, put_on_duty
from geowarn.domain.calls import CallKind
from geowarn.domain.level import Level
from geowarn.pipeline.actor import Actor, find_user
from geowarn.pipeline.call_answers import answered_call
from geowarn.pipeline.calls_advance import advance_calls
from geowarn.pipeline.propose import propose_by_hand
from geowarn.pipeline.release import release
from geowarn.pipeline.secrecy import check_secrecy
from geowarn.pipeline.signoff import sign
from geowarn.serving import web_server

pytestmark = pytest.mark.browser
LEVELS = {"370687": Level.RED, "370682": Level.ORANGE, "370686": Level.YELLOW}


def actor(system: System, name: str) -> Actor:
    with system.store.read() as work:
        return Actor(find_user(work, name), "command line", "test")


def answered(system: System, warning: str, kind: CallKind, most: int) -> None:
    """So many places of a kind answer by text."""
    with system.store.read() as work:
        calls = [call for call in work.calls.of_warning(warning) if call.kind is kind][:most]
        numbers = [work.contacts.get(call.place, 1) for call in calls]
    for contact in numbers:
        assert contact is not None
        phone = system.vault.open(contact.phone_sealed)
        assert answered_call(system.store, system.vault, system.clock, phone, "收到")


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[System, str, str]]:
    """(system, address, warning): it is out for some minutes, and not everybody has answered."""
    folder: Path = tmp_path_factory.mktemp("calls") / "data"
    port = free_port()
    open_demo(folder, port).store.dispose()
    clock = SettableClock(datetime.now(UTC))
    system = open_system(folder, clock)
    put_on_duty(system)
    made = propose_by_hand(system.desk, LEVELS, 24, "裂缝", "村干部来电", actor(system, "duty"))
    name = made.warning_id
    check_secrecy(system.desk, name, actor(system, "disclosure"), made.package_sha256)
    for who in ("duty", "leader", "observatory", "chief"):
        sign(system.desk, name, actor(system, who), code=fresh_code(system, who))
    release(system.desk, name, actor(system, "leader"))
    for kind, most in ((CallKind.COUNTY, 5), (CallKind.TOWNSHIP, 6), (CallKind.SITE, 4)):
        answered(system, name, kind, most)
    for _ in range(2):
        texts_leave(system.store, clock.now())
        clock.advance(minutes=3, seconds=30)
        advance_calls(system.desk)
    with web_server(system, "127.0.0.1", port):
        yield system, f"http://127.0.0.1:{port}", name
    system.store.dispose()


def _keep(reader: Browser, name: str) -> None:
    """A picture: of the board its section about calls."""
    reader.driver.execute_script("document.querySelector('#call')?.scrollIntoView({behavior: 'instant'})")
    reader.keep(name)


@pytest.mark.parametrize("size", ["narrow", "wide"])
def test_board_list_and_doors(
    out: tuple[System, str, str], chromium: Callable[[str, str], webdriver.Chrome], size: str
) -> None:
    _, base, name = out
    reader = Browser(chromium("calls", size), base)
    reader.log_in("duty")
    for page in ("board?still=1", "calls", "calls?county=370687", "doors"):
        for language in ("en", "zh"):
            path = f"/console/warnings/{name}/{page}{'&' if '?' in page else '?'}lang={language}"
            reader.open(path)
            assert not reader.scrolls_sideways(), path
            assert reader.complaints() == [], path
            assert reader.console_errors() == [], path
            _keep(reader, f"calls-{page.partition('?')[0]}-{language}-{size}")
    reader.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        assert reader.find("th.op").is_displayed(), "room for ink"
        assert not reader.find(".doors .np").is_displayed()
        reader.keep(f"calls-doors-print-{size}")
    finally:
        reader.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    reader.open(f"/console/warnings/{name}/calls")
    assert reader.only_by_script(f"/console/warnings/{name}/calls") == set()
    before = reader.text.count("怎样应答")
    assert before > 1
    reader.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        reader.fill("input[name=said_by]", "值班员")
        reader.find("form.act button").click()
    finally:
        reader.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    reader.open(f"/console/warnings/{name}/calls?lang=zh")
    assert reader.text.count("怎样应答") == before - 1
