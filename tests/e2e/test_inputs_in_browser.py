"""The inputs page with everything it can say at once: wide, on a phone and on the narrowest one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from tests.integration.test_source_plan import PLAN, put, rain

from geowarn.bootstrap import System
from geowarn.scheduler import Scheduler

pytestmark = pytest.mark.browser

Served = tuple[System, str, str]


@pytest.fixture
def busy(served: Served) -> Iterator[System]:
    """A source in use that waits for half a run and refused a file; another that cannot be reached."""
    system, _, _ = served
    plan = system.data_dir / "config" / "sources.toml"
    plan.write_text(PLAN.format(base="http://127.0.0.1:9"), "utf-8")
    system.__dict__.pop("sources", None)
    hour = system.clock.now().replace(minute=0, second=0, microsecond=0)
    put(system, rain(hour))
    put(system, rain(hour + timedelta(hours=1), hours=12), "half-of-a-run-with-a-long-name-2026072300.csv")
    put(system, b"area,start\n", "broken.csv")
    scheduler = Scheduler(system)
    scheduler.take_in()
    scheduler.fetch(system.sources["net"])
    scheduler.watch()
    yield system
    plan.unlink()
    system.__dict__.pop("sources", None)


@pytest.mark.parametrize("size", ["wide", "phone", "narrow"])
def test_the_inputs_page_can_be_read_by_everyone(browser, busy: System, size: str) -> None:  # type: ignore[no-untyped-def]
    desk = browser("duty", "wide" if size == "wide" else "phone")
    if size == "narrow":
        metrics = {"width": 360, "height": 740, "deviceScaleFactor": 1, "mobile": False}
        desk.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    for language, said in (("zh", "尚不完整"), ("en", "is not whole yet")):
        desk.open(f"/console/inputs?lang={language}")
        assert said in desk.text
        assert desk.complaints() == []
        assert not desk.scrolls_sideways()
        assert desk.console_errors() == []
