"""A window of a real Chromium."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.expected_conditions import staleness_of
from selenium.webdriver.support.wait import WebDriverWait
from tests.programs import program

PATIENCE = 120  # seconds; an answer takes a fraction of one where the machine has nothing else to do
_REQUIRED = "GEOWARN_REQUIRE_BROWSER"
_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-gpu-rasterization",
    "--mute-audio",
)  # fmt: skip


def driver_there() -> str:
    """The driver's path; fails or leaves the test out where there is none."""
    return program(_REQUIRED, "chromedriver")


def opened(profile: Path | str) -> webdriver.Chrome:
    """A window with a profile of its own, whose console can be read."""
    options = webdriver.ChromeOptions()
    options.binary_location = program(_REQUIRED, "chromium", "chromium-browser", "google-chrome")
    for flag in (*_FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(options=options, service=Service(driver_there()))


def sized(window: webdriver.Chrome, width: int, height: int) -> None:
    """Give it the size of a screen."""
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    window.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


@contextmanager
def next_page(window: webdriver.Chrome, patience: float = PATIENCE) -> Iterator[None]:
    """What is done in it leads to another page, or to the same one anew: waits until that is there.

    Where the machine is busy the driver answers while the page before still stands. Raises TimeoutException.
    """
    before = window.find_element("css selector", "html")
    yield
    wait = WebDriverWait(window, patience)
    wait.until(staleness_of(before))
    wait.until(lambda driver: driver.execute_script("return document.readyState") == "complete")


def visit(window: webdriver.Chrome, address: str) -> None:
    """Open an address, which is not a place on the page that is open already."""
    with next_page(window):
        window.get(address)
