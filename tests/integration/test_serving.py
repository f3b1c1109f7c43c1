"""The public side: files with validators, 503 instead of silence, machines' figures without personal data."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from starlette.testclient import TestClient

from geowarn.bootstrap import System
from geowarn.domain.level import Level
from geowarn.pipeline.actor import Actor
from geowarn.pipeline.propose import propose_by_hand
from geowarn.pipeline.release import release
from geowarn.pipeline.signoff import sign
from geowarn.web.app import create_app

Officer = Callable[[str], Actor]


@pytest.fixture
def client(demo_system: System) -> Iterator[TestClient]:
    with TestClient(create_app(demo_system), follow_redirects=False) as found:
        yield found


def publish(system: System) -> None:
    system.channels["website"].publish(system.site_state())  # type: ignore[attr-defined]


@pytest.fixture
def slug(demo_system: System, officer: Officer) -> str:
    levels = {"370687": Level.YELLOW, "370612": Level.BLUE}
    made = propose_by_hand(demo_system.desk, levels, 24, "裂缝", "网格员", officer("duty"))
    for name in ("duty", "leader", "observatory"):
        sign(demo_system.desk, made.warning_id, officer(name))
    return release(demo_system.desk, made.warning_id, officer("duty")).slug


@pytest.mark.parametrize(
    "path", ["/", "/feeds/warnings.rss", "/feeds/cap.atom", "/current.json", "/w/2026-001/", "/en/"]
)
def test_without_a_tree_every_public_address_says_503(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "30"
    assert "12379" in answer.text
    said = "这不表示没有预警" if not path.startswith("/en/") else "This does not mean"
    assert said in answer.text


def test_the_tree_is_served_with_its_types_and_validators(client: TestClient, demo_system: System, slug: str) -> None:
    publish(demo_system)
    types = {
        "/": "text/html", "/en/": "text/html", f"/w/{slug}/": "text/html", "/feeds/warnings.rss": "application/rss+xml",
        "/feeds/cap.atom": "application/atom+xml", "/current.json": "application/json",
        "/current.geojson": "application/geo+json", "/map.svg": "image/svg+xml",
    }  # fmt: skip
    for path, media_type in types.items():
        answer = client.get(path)
        assert answer.status_code == 200, path
        assert answer.headers["content-type"].startswith(media_type), path
        again = client.get(path, headers={"If-None-Match": answer.headers["etag"]})
        assert (again.status_code, again.content) == (304, b""), path
        head = client.head(path)
        assert (head.status_code, head.content) == (200, b""), path
        assert head.headers["content-length"] == str(int(answer.headers["content-length"])), path
    cap = client.get("/current.json").json()["active"][0]["cap"][0]
    path = cap.removeprefix(demo_system.settings.site.public_url)
    answer = client.get(path)
    assert answer.headers["content-type"].startswith("application/cap+xml")
    assert "immutable" in answer.headers["cache-control"]


def test_what_is_not_there_is_404_in_both_languages(client: TestClient, demo_system: System) -> None:
    publish(demo_system)
    for path in (
        "/nothing",
        "/w/2026-999/",
        "/..%2f..%2fgeowarn.toml",
        "/%2e%2e/geowarn.db",
        "/console/static/../app.py",
    ):
        assert client.get(path).status_code in (303, 404), path
    assert "没有这一页" in client.get("/nothing").text
    assert "No such page" in client.get("/nothing?lang=en").text


def test_writing_to_public_addresses_is_refused(client: TestClient, demo_system: System) -> None:
    publish(demo_system)
    assert client.post("/current.json", headers={"Sec-Fetch-Site": "same-origin"}).status_code == 405
    assert client.put("/current.json").status_code == 403


def test_health_readiness_and_figures(client: TestClient, demo_system: System, slug: str) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    waiting = client.get("/readyz")
    assert (waiting.status_code, waiting.json()["missing"]) == (503, ["worker"])
    with demo_system.store.begin() as work:
        work.ticks.beat("w1", "worker", demo_system.clock.now())
        work.commit()
    assert client.get("/readyz").json() == {"status": "ready"}
    figures = client.get("/metrics").text
    assert f'geowarn_dispatches{{bulletin="{slug}",channel="sms",state="new"}}' in figures
    assert 'geowarn_processes_alive{kind="worker"} 1.0' in figures
    assert "+1" not in figures
    assert "duty" not in figures


def test_the_interface_describes_itself_and_nothing_internal(client: TestClient) -> None:
    described = client.get("/api/v1/openapi.json").json()
    assert "/api/v1/warnings" in described["paths"]
    assert "/broadcast/v1/items/{item}/aired" in described["paths"]
    assert not [path for path in described["paths"] if path.startswith(("/console", "/hooks"))]
    assert client.get("/docs").status_code == 503  # no page of ours: falls through to the tree, which is empty here
