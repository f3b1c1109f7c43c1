"""Pictures are drawn in a process of their own, and a warning waits for none that cannot be drawn."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from tests.unit.site_desk import SiteDesk

from geowarn.domain.level import Level
from geowarn.domain.warning import Act
from geowarn_channels import picture as drawing
from geowarn_channels.picture import Undrawn, begun, picture

SQUARE = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10"><path d="M0 0h10v10H0z" fill="#f00"/></svg>'
SLOW = "import sys, time; sys.stdin.buffer.read(); time.sleep(0.5); sys.stdout.buffer.write(b'\\x89PNG')"


@pytest.fixture
def site(tmp_path: Path) -> SiteDesk:
    return SiteDesk(tmp_path)


def child(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str) -> None:
    path = tmp_path / "child.py"
    path.write_text(text, "utf-8")
    monkeypatch.setattr(drawing, "_CHILD", path)


def test_a_picture_has_the_width_asked_for() -> None:
    drawn = picture(SQUARE, 40)
    assert (int.from_bytes(drawn[16:20], "big"), int.from_bytes(drawn[20:24], "big")) == (40, 40)


def test_what_cannot_be_drawn_says_why() -> None:
    with pytest.raises(Undrawn, match=r".+"):
        picture("<svg")


def test_a_child_that_dies_or_does_not_end_is_no_picture(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    child(monkeypatch, tmp_path, "import os; os.abort()")
    with pytest.raises(Undrawn, match="exit"):
        picture(SQUARE)
    child(monkeypatch, tmp_path, "import time; time.sleep(60)")
    monkeypatch.setattr(drawing, "_SECONDS", 0.3)
    with pytest.raises(Undrawn, match="timed out"):
        picture(SQUARE)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "nothing"))
    with pytest.raises(Undrawn, match="No such file"):
        picture(SQUARE)


def test_other_threads_run_while_it_is_drawn(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    child(monkeypatch, tmp_path, SLOW)
    waiting = begun(lambda: picture(SQUARE))
    counted = 0
    while not any(thread.name.startswith("ThreadPool") for thread in threading.enumerate()):
        time.sleep(0.001)
    before = time.monotonic()
    while time.monotonic() - before < 0.2:
        counted += 1
    assert counted > 100
    assert waiting() == b"\x89PNG"


def test_the_child_imports_nothing_of_the_program() -> None:
    """It is started for every map: what it imports is waited for."""
    text = drawing._CHILD.read_text("utf-8")
    assert "geowarn" not in "".join(line for line in text.splitlines() if line.startswith(("import", "from")))
    command = [sys.executable, "-P", "-X", "importtime", str(drawing._CHILD)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "resvg_py" in done.stderr
    assert "sqlalchemy" not in done.stderr


def test_a_warning_goes_out_without_a_map_that_cannot_be_drawn(
    site: SiteDesk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    site.facts["site"]["print_map"] = True
    site.release({"990101": Level.YELLOW})
    site.publish()
    drawn = ("map.png", "map-a4.png", "en/map-a4.png")
    assert all((site.root / path).read_bytes().startswith(b"\x89PNG") for path in drawn)
    site.release({"990101": Level.RED}, Act.UPDATE)
    whole = drawing._CHILD
    child(monkeypatch, tmp_path, "raise SystemExit('no ink')")
    assert set(site.channel.publish(site.state())) == {f"{path}: no ink" for path in drawn}
    assert not any((site.root / path).exists() for path in drawn)  # what they showed were other levels
    assert json.loads(site.read("current.json"))["active"][0]["level"] == "red"
    assert "红色" in site.read("index.html")
    monkeypatch.setattr(drawing, "_CHILD", whole)
    assert site.channel.publish(site.state()) == []
    assert all((site.root / path).read_bytes().startswith(b"\x89PNG") for path in drawn)
