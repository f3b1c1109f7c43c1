"""A window of a real Chromium."""

from __future__ import annotations

from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from tests.programs import program

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
