"""What stands behind a level on the review page: every model's word and the course of events, wide and narrow."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from selenium import webdriver
from tests.e2e.conftest import Browser

from geowarn.demo.play import proposal_rises, storm_comes
from geowarn.demo.setting import free_port, open_demo, put_on_duty
from geowarn.serving import web_server

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def desk(
    tmp_path_factory: pytest.TempPathFactory, chromium: Callable[[str, str], webdriver.Chrome]
) -> Iterator[tuple[Browser, str]]:
    """The officer at an installation of their own, and the page of a storm that nobody has touched."""
    port = free_port()
    system = open_demo(tmp_path_factory.mktemp("evidence") / "data", port)
    put_on_duty(system)
    proposal = proposal_rises(system, storm_comes(system))
    assert proposal is not None
    with web_server(system, "127.0.0.1", port):
        seat = Browser(chromium("evidence", "wide"), f"http://127.0.0.1:{port}")
        seat.log_in("duty")
        yield seat, f"/console/warnings/{proposal.warning_id}"
    system.store.dispose()


@pytest.mark.parametrize("width", [1440, 360])
def test_models_and_course_can_be_read_by_everyone(desk: tuple[Browser, str], width: int) -> None:
    seat, page = desk
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    seat.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    for language, area in (("zh", "海阳市"), ("en", "Haiyang")):
        seat.open(f"{page}?lang={language}")
        models, course = seat.find("#agreement").text, seat.find("#why").text
        assert "effrain-matrix" in models
        assert "rolling-multi" in models
        assert area in course
        assert seat.complaints() == []
        assert not seat.scrolls_sideways(), language
        assert seat.console_errors() == []
        for name in ("agreement", "why"):
            seat.driver.execute_script("document.getElementById(arguments[0]).scrollIntoView()", name)
            seat.keep(f"{name}-{width}-{language}")
