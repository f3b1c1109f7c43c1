"""The public search over a real installation: what is released is found, what is not public never is."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import html
from starlette.testclient import TestClient
from tests.integration.conftest import signed
from tests.integration.test_incidents import bring_out, published, table

from geowarn.bootstrap import System
from geowarn.domain.level import Level
from geowarn.domain.warning import Act
from geowarn.pipeline import incidents
from geowarn.pipeline.actor import Actor
from geowarn.pipeline.propose import propose_by_hand
from geowarn.pipeline.release import release, retract
from geowarn.pipeline.search_index import catch_up, rebuild
from geowarn.scheduler import publish_all
from geowarn.web.app import create_app

Officer = Callable[[str], Actor]
REASON = "网格员报告后山开裂"


@pytest.fixture
def client(demo_system: System) -> Iterator[TestClient]:
    publish_all(demo_system)
    catch_up(demo_system.search_sources)
    with TestClient(create_app(demo_system), follow_redirects=False) as found:
        yield found


def released(system: System, officer: Officer, levels: dict[str, Level]) -> Any:
    made = propose_by_hand(system.desk, levels, 24, REASON, "网格员", officer("duty"))
    for name in ("duty", "leader", "observatory", "chief"):
        if name != "chief" or max(levels.values()) >= Level.ORANGE:
            signed(system, made.warning_id, officer(name))
    return release(system.desk, made.warning_id, officer("duty"))


def page(client: TestClient, query: str, path: str = "/search", **more: str) -> Any:
    answer = client.get(path, params={"q": query, **more})
    assert answer.status_code == 200, (query, answer.status_code)
    assert answer.headers["x-robots-tag"] == "noindex"
    return html.fromstring(answer.text)


def hits(tree: Any) -> list[str]:
    return [link.get("href") for link in tree.xpath("//ol[@class='hits']//h3/a")]


def text(tree: Any, path: str) -> str:
    return " ".join("".join(found.text_content() for found in tree.xpath(path)).split())


def test_look(client: TestClient, demo_system: System, officer: Officer) -> None:
    b = released(demo_system, officer, {"370686": Level.YELLOW, "370687": Level.BLUE})
    released(demo_system, officer, {"370612": Level.YELLOW})
    published(demo_system, officer)
    publish_all(demo_system)
    from pathlib import Path
    import shutil

    for name, path, q in (
        ("a", "/search", "栖霞"),
        ("b", "/search", "栖霞黄色"),
        ("c", "/en/search", "qixia warnings"),
        ("d", "/search", "海阳"),
        ("e", "/search", "滑坡"),
        ("f", "/search", "xyzzy"),
        ("g", "/search", ""),
        ("h", "/search", "级别"),
    ):
        r = client.get(path, params={"q": q})
        Path(f"/tmp/s7/{name}.html").write_text(r.text)
        print(
            name, q, r.status_code, hits(html.fromstring(r.text)), text(html.fromstring(r.text), "//*[@role='status']")
        )
    shutil.copytree(demo_system.public_dir, "/tmp/s7/public", dirs_exist_ok=True)
