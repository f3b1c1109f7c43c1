"""The whole line in one command, on SQLite and on PostgreSQL, and what it leaves behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from lxml import etree

from geowarn.bootstrap import open_system
from geowarn.demo.setting import free_port, open_demo
from geowarn.domain.dispatch import DispatchState
from geowarn.pipeline.proof import verify

FEEDS = ("warnings.rss", "warnings.atom", "cap.rss", "cap.atom")
BLUE = ("牟平", "Muping", "370612")


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> str:
    return "" if request.param == "sqlite" else str(request.getfixturevalue("empty_postgres"))


def played(folder: Path, database: str) -> str:
    env = os.environ | {"GEOWARN_DATABASE__URL": database, "LC_ALL": "C.UTF-8"}
    command = [sys.executable, "-m", "geowarn", "demo", "--auto", "--port", "0", "--data", str(folder)]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout


def test_the_demo_plays_the_whole_line(tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    said = played(tmp_path / "demo", database)
    assert not (tmp_path / "demo" / "geowarn.db-wal").exists()  # the file alone is a whole copy
    for word in ("SYNTHETIC DEMO RAINFALL", "307.38 + ", "I red", "II orange", "III yellow"):
        assert word in said
    for role in ("duty-officer", "leader", "chief", "observatory"):
        assert role in said
    monkeypatch.setenv("GEOWARN_DATABASE__URL", database)
    system = open_system(tmp_path / "demo")
    with system.store.read() as work:
        (bulletin,) = work.bulletins.all()
        counts = work.dispatches.counts(bulletin.id)
    assert counts["website"] == {DispatchState.DELIVERED: 1}
    assert counts["broadcast"] == {DispatchState.DELIVERED: 2}
    assert set(counts["sms"]) == {DispatchState.DELIVERED}
    assert verify(system.store)[1] is None
    system.store.dispose()
    look_at_the_public_tree(tmp_path / "demo" / "public")


def look_at_the_public_tree(public: Path) -> None:
    current = json.loads((public / "current.json").read_text("utf-8"))
    (active,) = current["active"]
    assert {"number", "slug", "level", "areas", "sent", "expires", "url", "cap"} <= set(active)
    assert (active["slug"], active["level"], len(active["cap"])) == (f"{active['sent'][:4]}-001", "red", 3)
    for name in FEEDS:
        etree.parse(str(public / "feeds" / name))
        assert active["slug"] in (public / "feeds" / name).read_text("utf-8")
    messages = sorted((public / "cap").glob("*.xml"))
    assert len(messages) == 3
    for message in messages:
        text = message.read_text("utf-8")
        assert "<status>Exercise</status>" in text
        assert "合成演示降雨（非真实预报）" in text
        assert not any(word in text for word in BLUE)
    for page in (public / "index.html", public / "en" / "index.html", public / "w" / active["slug"] / "index.html"):
        assert page.is_file()
    for name in ("current.json", "current.geojson", *(f"feeds/{feed}" for feed in FEEDS)):
        assert not any(word in (public / name).read_text("utf-8") for word in BLUE), name


def test_a_demo_may_not_have_live_targets(tmp_path: Path) -> None:
    open_demo(tmp_path / "demo", free_port()).store.dispose()
    settings = tmp_path / "demo" / "geowarn.toml"
    lines = [line for line in settings.read_text("utf-8").splitlines() if "base_url" not in line]
    settings.write_text("\n".join(lines), encoding="utf-8")
    command = [sys.executable, "-m", "geowarn", "warnings", "list", "--data", str(tmp_path / "demo")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "synthetic" in done.stderr or "合成" in done.stderr
