"""The public pages in a real browser: accessible, nothing sideways at 360 pixels, clean under the strictest policy."""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from tests.unit.site_desk import SiteDesk
from tests.unit.test_site_others import other
from tests.windows import next_page, opened, sized, visit

from geowarn.domain.level import Level
from geowarn.domain.warning import Act

POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'"
AXE = Path(__file__).parents[1] / "data" / "axe-core" / "axe.min.js"
LOOK = """const done = arguments[arguments.length - 1];
axe.run(document, {}).then(found => done(found.violations.map(v => v.id + ' ' + v.nodes[0].target)));"""
STATE = "return [document.querySelector('figure').outerHTML, !document.querySelector('.map-live')]"
PRESS_AND_WAIT = """const done = arguments[arguments.length - 1];
document.querySelector('.map-btn').click();
const wait = () => document.querySelector('.leaflet-overlay-pane .map') ? done() : setTimeout(wait, 20); wait();"""
WIDE = "return document.querySelector('.leaflet-overlay-pane .map').getBoundingClientRect().width"
GROWN = """const [wide, done] = [arguments[0], arguments[arguments.length - 1]];
const map = document.querySelector('.leaflet-overlay-pane .map');
const wait = left => { const now = map.getBoundingClientRect().width;
  if (now > wide * 1.5 || !left) done(now); else setTimeout(wait, 20, left - 1); }; wait(100);"""
SEEN = """const shown = one => one.getBoundingClientRect().width > 0 && getComputedStyle(one).visibility == 'visible';
const all = what => [...document.querySelectorAll(what)].filter(shown);
return {heading: all('h1').map(one => one.textContent.trim()).join(''), styled: document.styleSheets.length > 0
  && getComputedStyle(document.body).marginTop == '0px', buttons: all('main button:not(form button)').length,
  maps: all('main svg.map, main figure img').length,
  sideways: document.documentElement.scrollWidth - document.documentElement.clientWidth}"""
SIDEWAYS = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"

pytestmark = pytest.mark.browser


class _Strict(SimpleHTTPRequestHandler):
    def end_headers(self) -> None:
        self.send_header("Content-Security-Policy", POLICY)
        super().end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass


@pytest.fixture
def driver(tmp_path: Path) -> Iterator[webdriver.Chrome]:
    found = opened(tmp_path / "profile")
    yield found
    found.quit()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A tree in which a warning was brought up to date."""
    site = SiteDesk(tmp_path)
    site.facts["issuer"]["duty_phone"] = "0999-000 0000"
    site.release({"990101": Level.YELLOW}, calibrated=False)
    site.now += timedelta(hours=1)
    site.release({"990101": Level.RED, "990104": Level.ORANGE, "990102": Level.YELLOW}, Act.UPDATE, calibrated=False)
    site.publish(synthetic=True, others=(other(page="https://weather.example.org/"),))
    return site.root


@pytest.fixture
def address(root: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Strict, directory=str(root)))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize("width", [1280, 360])
def test_pages_are_accessible_and_fit(driver: Any, address: str, width: int) -> None:
    sized(driver, width, 900)
    axe = AXE.read_text("utf-8")
    places = (
        "",
        "w/2026-002/",
        "w/2026-001/",
        "areas/",
        "areas/990101001/",
        "areas/990103/",
        "archive/",
        "feeds/",
        "about/",
        "others/",
    )
    for path in [f"{language}{place}index.html" for place in places for language in ("", "en/")]:
        visit(driver, f"{address}/{path}")
        driver.execute_script(axe)
        assert driver.execute_async_script(LOOK) == [], path
        assert driver.execute_script(SIDEWAYS) <= 0, path
        complaints = [line["message"] for line in driver.get_log("browser") if "favicon" not in line["message"]]
        assert complaints == [], path
        _keep(driver, path, width)
    for path in ("index.html", "en/areas/990101001/index.html"):
        _map_moves(driver, f"{address}/{path}", axe)


def _keep(driver: Any, path: str, width: int) -> None:
    if folder := os.environ.get("GEOWARN_PICTURES"):
        name = path.removesuffix("index.html").strip("/").replace("/", "-") or "home"
        with suppress(WebDriverException):  # a busy machine may be too slow for a picture, which proves nothing
            driver.save_screenshot(str(Path(folder) / f"public-{name}-{width}.png"))


def test_pages_read_without_script_and_from_a_disk(driver: Any, address: str, root: Path) -> None:
    sized(driver, 360, 900)
    for path in ("index.html", "en/w/2026-002/index.html", "areas/990101001/index.html", "archive/index.html"):
        for place in (f"{address}/{path}", (root / path).as_uri()):
            driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
            visit(driver, place)
            driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
            seen = driver.execute_script(SEEN)
            assert seen["heading"], place
            assert seen["styled"], place
            assert seen["buttons"] == 0, place  # nothing to press that would do nothing
            assert seen["maps"] or path.startswith("archive"), place
            assert seen["sideways"] <= 0, place
    visit(driver, (root / "index.html").as_uri())
    with next_page(driver):
        driver.execute_script("document.querySelector(\"main a[href*='w/2026-002']\").click()")
    assert driver.current_url == (root / "w" / "2026-002" / "index.html").as_uri()


def _map_moves(driver: Any, page: str, axe: str) -> None:
    """Whoever asks gets a map that moves, from the page's own tree; whoever has enough gets the plain one back."""
    visit(driver, page)
    before = driver.execute_script(STATE)
    assert not driver.execute_script("return window.L")
    driver.execute_async_script(PRESS_AND_WAIT)
    assert driver.execute_script("return document.activeElement.classList.contains('leaflet-container')")
    driver.execute_script(axe)
    assert driver.execute_async_script(LOOK) == [], page
    assert driver.execute_script(SIDEWAYS) <= 0, page
    wide = driver.execute_script(WIDE)
    driver.execute_script("document.querySelector('.leaflet-control-zoom-in').click()")
    assert driver.execute_async_script(GROWN, wide) > wide * 1.5
    hosts = driver.execute_script("return performance.getEntriesByType('resource').map(one => new URL(one.name).host)")
    assert set(hosts) == {page.split("/")[2]}
    assert [line for line in driver.get_log("browser") if "favicon" not in line["message"]] == []
    driver.execute_script("document.querySelector('.map-btn').click()")
    assert driver.execute_script(STATE) == before
