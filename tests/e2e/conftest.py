"""A demo installation served over HTTP with its worker, and a real Chromium that looks at it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from tests.windows import PATIENCE, driver_there, next_page, sized, visit
from tests.windows import opened as window

from geowarn.bootstrap import System
from geowarn.demo.play import proposal_rises, storm_comes
from geowarn.demo.setting import free_port, open_demo, password_of, put_on_duty
from geowarn.serving import web_server

_AXE = Path(__file__).parents[1] / "data" / "axe-core" / "axe.min.js"
_CONTROLS = """
return [...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary')]
  .filter(found => found.checkVisibility({visibilityProperty: true}))
  .map(found => found.tagName + ' ' + (found.name || found.getAttribute('href') || found.textContent.trim()))
"""
_FOR_SCRIPT = {"BUTTON 开启铃声"}  # a browser sounds nothing before a press
SIZES = {"wide": (1440, 900), "phone": (390, 844), "narrow": (360, 740)}


@dataclass
class Browser:
    """One person's Chromium at one size."""

    driver: webdriver.Chrome
    base: str

    def open(self, path: str) -> None:
        visit(self.driver, self.base + path)

    def find(self, selector: str) -> WebElement:
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def press(self, selector: str) -> None:
        """Click as a person does: what is hidden or covered cannot be clicked."""
        element = self.find(selector)
        self.driver.execute_script("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", element)
        element.click()

    def submit(self, selector: str, patience: float = PATIENCE) -> None:
        """Press a button that leads to another page, and wait until that page is there; raises TimeoutException."""
        with next_page(self.driver, patience):
            self.press(selector)

    def fill(self, selector: str, text: str) -> None:
        field = self.find(selector)
        self.driver.execute_script("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", field)
        field.clear()
        field.send_keys(text)

    def give_code(self) -> None:
        """Type the code that a demo installation shows beside the field, where the form asks for one."""
        with next_page(self.driver):
            self.driver.refresh()
        for shown in self.driver.find_elements(By.CSS_SELECTOR, ".factor .mono"):
            self.fill("#code", shown.text)

    @property
    def text(self) -> str:
        return self.find("body").text

    @property
    def path(self) -> str:
        return str(self.driver.current_url).removeprefix(self.base)

    def log_in(self, name: str) -> None:
        self.open("/console/login")
        self.fill("#name", name)
        self.fill("#password", password_of(name))
        self.submit("main button")

    def scrolls_sideways(self) -> bool:
        return bool(self.driver.execute_script("return document.documentElement.scrollWidth > window.innerWidth + 1"))

    def complaints(self) -> list[str]:
        """What axe-core finds wrong, WCAG 2.2 AA and best practice; runs past the page's own policy."""
        self.driver.execute_script(_AXE.read_text("utf-8"))
        found = self.driver.execute_async_script("axe.run(document).then(r => arguments[0](r.violations))")
        return [f"{v['id']}: {[node['html'][:160] for node in v['nodes']][:4]}" for v in found]

    def only_by_script(self, path: str) -> set[str]:
        """What of an open page can be pressed or filled in where script runs, and not where it does not."""
        controls = set(self.driver.execute_script(_CONTROLS))
        self.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
        try:
            self.open(path)
            return controls - set(self.driver.execute_script(_CONTROLS)) - _FOR_SCRIPT
        finally:
            self.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})

    def keep(self, name: str) -> None:
        """Keep a picture of what is seen, where a folder for pictures is named."""
        if folder := os.environ.get("GEOWARN_PICTURES"):
            with suppress(WebDriverException):  # a busy machine may be too slow for a picture, which proves nothing
                self.driver.save_screenshot(str(Path(folder) / f"{name}.png"))

    def console_errors(self) -> list[str]:
        entries = self.driver.get_log("browser")  # type: ignore[no-untyped-call]
        return [entry["message"] for entry in entries if entry["level"] == "SEVERE"]


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[System, str, str]]:
    """(system, address, warning under review): the storm has come, nobody has signed."""
    driver_there()
    port = free_port()
    system = open_demo(tmp_path_factory.mktemp("e2e") / "data", port)
    put_on_duty(system)
    proposal = proposal_rises(system, storm_comes(system))
    assert proposal is not None
    with web_server(system, "127.0.0.1", port):
        yield system, f"http://127.0.0.1:{port}", proposal.warning_id
    system.store.dispose()


_OPENED: dict[tuple[str, str], webdriver.Chrome] = {}


@pytest.fixture(autouse=True)
def as_if_just_opened() -> Iterator[None]:
    """A test finds every window in Chinese and with an empty log, whatever the test before it looked at.

    It leaves empty pages: those of the console ask their server every few seconds, for as long as they are open.
    """
    for driver in _OPENED.values():
        driver.get_log("browser")  # type: ignore[no-untyped-call]
    yield
    for driver in _OPENED.values():
        driver.delete_cookie("geowarn-language")
        driver.get("about:blank")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Callable[[str, str], webdriver.Chrome]]:
    """A Chromium by the name of its profile and its size."""
    opened = _OPENED
    profiles: list[str] = []

    def named(profile: str, size: str) -> webdriver.Chrome:
        if (profile, size) not in opened:
            profiles.append(tempfile.mkdtemp())
            opened[profile, size] = window(profiles[-1])
            sized(opened[profile, size], *SIZES[size])
        return opened[profile, size]

    yield named
    for driver in opened.values():
        driver.quit()
    for folder in profiles:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def browser(
    served: tuple[System, str, str], chromium: Callable[[str, str], webdriver.Chrome]
) -> Callable[[str, str], Browser]:
    """A browser by person and size, logged in."""
    opened: dict[tuple[str, str], Browser] = {}

    def named(person: str, size: str) -> Browser:
        if (person, size) not in opened:
            opened[person, size] = Browser(chromium(person, size), served[1])
            if person:
                opened[person, size].log_in(person)
        return opened[person, size]

    return named
