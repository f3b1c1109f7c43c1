"""Every page of the console at 360 and 1440 pixels: nothing for axe-core, nothing that only script can reach."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.integration import (
    rights_clock,
    rights_console,
    rights_exercise,
    rights_partners,
    rights_roster,
    rights_voices,
)

from geowarn.bootstrap import System

pytestmark = pytest.mark.browser

PAGES = {
    "duty": (
        "/console/", "/console/account", "/console/warnings", "/console/warnings/{warning}", "/console/propose",
        "/console/outside", "/console/inputs", "/console/ledger", "/console/ledger?subject={warning}",
        "/console/roster", "/console/roster/change", "/console/exercise", "/console/voices", "/console/answers",
        "/console/answers/new",
    ),
    "admin": ("/console/people", "/console/people/duty", "/console/partners"),
}  # fmt: skip
NO_PAGE = {"/console/ring.json"}


def test_no_page_is_forgotten() -> None:
    tables: tuple[Any, ...] = (
        rights_clock, rights_console, rights_exercise, rights_partners, rights_roster, rights_voices,
    )  # fmt: skip
    routes = {path for table in tables for method, path in table.ROUTES if method == "GET" and "{" not in path}
    assert {path for path in routes if path.startswith("/console/")} - NO_PAGE <= {
        p for ps in PAGES.values() for p in ps
    }


@pytest.mark.parametrize("size", ["narrow", "wide"])
@pytest.mark.parametrize("person", list(PAGES))
def test_every_page_is_whole_and_needs_no_script(
    browser: Callable[[str, str], Any], served: tuple[System, str, str], person: str, size: str
) -> None:
    reader = browser(person, size)
    for page in PAGES[person]:
        path = page.format(warning=served[2])
        reader.open(path)
        assert not reader.scrolls_sideways(), path
        assert reader.complaints() == [], path
        assert reader.console_errors() == [], path
        reader.keep(
            f"page-{path.strip('/').replace('?subject=', '-of-').replace('/', '-').replace(served[2], 'review')}-{size}"
        )
        if size == "narrow":
            assert reader.only_by_script(path) == set(), path
