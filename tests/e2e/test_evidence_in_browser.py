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
    for language, area in (("zh", "海阳市"), ("en", "Haiyang")):
        desk.open(f"/console/warnings/{served[2]}?lang={language}")
        models, course = desk.find("#agreement").text, desk.find("#why").text
        assert "effrain-matrix" in models
        assert "rolling-multi" in models
        assert area in course
        assert desk.complaints() == []
        assert not desk.scrolls_sideways()
        assert desk.console_errors() == []
        if folder := os.environ.get("GEOWARN_PICTURES"):  # to be looked at
            for name in ("agreement", "why"):
                desk.find(f"#{name}").screenshot(str(Path(folder) / f"{name}-{width}-{language}.png"))
