"""What stands behind a level on the review page: every model's word and the course of events, wide and narrow."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from geowarn.bootstrap import System

pytestmark = pytest.mark.browser

Served = tuple[System, str, str]


@pytest.mark.parametrize("width", [1440, 360])
def test_models_and_course_can_be_read_by_everyone(browser, served: Served, width: int) -> None:  # type: ignore[no-untyped-def]
    desk = browser("duty", "wide" if width == 1440 else "phone")
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    desk.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    for language, models, course in (("zh", "各模型", "海阳市"), ("en", "model", "Haiyang")):
        desk.open(f"/console/warnings/{served[2]}?lang={language}")
        assert models in desk.text
        assert "rolling-multi" in desk.text
        assert course in desk.text
        for details in desk.driver.find_elements("css selector", "details:not([open]) > summary"):
            desk.driver.execute_script("arguments[0].parentElement.open = true", details)
        assert desk.complaints() == []
        assert not desk.scrolls_sideways()
        assert desk.console_errors() == []
        if folder := os.environ.get("GEOWARN_PICTURES"):  # to be looked at
            height = desk.driver.execute_script("return document.documentElement.scrollHeight")
            desk.driver.execute_cdp_cmd(
                "Emulation.setDeviceMetricsOverride", {**metrics, "height": min(int(height), 12000)}
            )
            desk.driver.save_screenshot(str(Path(folder) / f"evidence-{width}-{language}.png"))
