"""The tree on disk and through its public address: whole or old, never older, seen or honestly not seen."""

from __future__ import annotations

import errno
import functools
import json
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from tests.unit.site_desk import SiteDesk

from geowarn.domain.dispatch import Outcome
from geowarn.domain.errors import TemporaryFailure
from geowarn.domain.level import Level
from geowarn.ports import Delivery, SiteState, Target
from geowarn_channels import files
from geowarn_channels.feed_items import cap_files
from geowarn_channels.site_seen import TreeLook, Unseen, see


@pytest.fixture
def site(tmp_path: Path) -> SiteDesk:
    return SiteDesk(tmp_path)


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass


@contextmanager
def serving(root: Path, handler: type[SimpleHTTPRequestHandler] = _Quiet) -> Iterator[str]:
    root.mkdir(parents=True, exist_ok=True)
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(handler, directory=str(root)))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def send(site: SiteDesk, bulletin: Any) -> Any:
    target = Target("d-1", "public", "public", site.now + timedelta(hours=1))
    return site.channel.send(Delivery(bulletin, site.bodies[bulletin.id], "public"), target)


def everything(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def test_delivered_means_the_public_address_shows_it(site: SiteDesk) -> None:
    with serving(site.root) as url:
        site.facts["site"]["public_url"] = url
        made = site.release({"990101": Level.RED})
        receipt = send(site, made)
    assert receipt.outcome is Outcome.DELIVERED
    assert receipt.detail == "seen"


def test_the_message_is_there_before_the_state_is_read(site: SiteDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    site.publish()
    before = set(everything(site.root))
    made, read, seen = site.release({"990101": Level.RED}), site.state, []

    def reading() -> SiteState:
        seen.append(set(everything(site.root)) - before - {".writing"})
        return read()

    monkeypatch.setattr(site, "state", reading)
    send(site, made)
    assert seen == [set(cap_files(site.bodies[made.id]))]


def test_written_but_unreachable_is_accepted_and_says_so(site: SiteDesk) -> None:
    with serving(site.root) as url:
        site.facts["site"]["public_url"] = url
    made = site.release({"990101": Level.RED})
    receipt = send(site, made)
    assert receipt.outcome is Outcome.ACCEPTED
    assert receipt.detail.startswith("written, not seen: ")
    assert (site.root / f"w/{made.slug}/index.html").is_file()


class _Stale(_Quiet):
    """A cache in front that keeps an old page."""

    def do_GET(self) -> None:
        if self.path.startswith("/w/"):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"old")
            return
        super().do_GET()


class _OldState(_Quiet):
    def do_GET(self) -> None:
        if self.path == "/current.json":
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"sequence": 0}')
            return
        super().do_GET()


class _Elsewhere(_Quiet):
    def do_GET(self) -> None:
        self.send_response(302)
        self.send_header("Location", "http://127.0.0.1:1/")
        self.end_headers()


@pytest.mark.parametrize("handler", [_Stale, _OldState, _Elsewhere])
def test_something_else_at_the_address_is_not_delivered(
    site: SiteDesk, handler: type[SimpleHTTPRequestHandler]
) -> None:
    with serving(site.root, handler) as url:
        site.facts["site"]["public_url"] = url
        receipt = send(site, site.release({"990101": Level.RED}))
    assert receipt.outcome is Outcome.ACCEPTED


def test_sending_twice_changes_nothing(site: SiteDesk) -> None:
    with serving(site.root) as url:
        site.facts["site"]["public_url"] = url
        made = site.release({"990101": Level.RED})
        send(site, made)
        before = everything(site.root)
        send(site, made)
    changing = {"current.json", "feeds/index.html", "en/feeds/index.html"}  # they carry the sequence number
    after = everything(site.root)
    assert {path for path in before if before[path] != after[path]} <= changing


def test_full_disk_is_a_temporary_failure_and_leaves_the_old_tree(
    site: SiteDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.publish()
    before = everything(site.root)
    made = site.release({"990101": Level.RED})
    real = files._put_beside
    left = 3

    def full(path: Path, body: bytes) -> Path:
        nonlocal left
        left -= 1
        if left < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(path, body)

    monkeypatch.setattr(files, "_put_beside", full)
    with pytest.raises(TemporaryFailure) as failure:
        send(site, made)
    assert failure.value.reason == "the disk is full"
    after = everything(site.root)
    assert {path: after[path] for path in before} == before
    # What was written before the disk was full is complete, and nothing leads to it yet.
    new = after.keys() - before.keys() - {".writing"}
    assert all(path.startswith(("cap/", f"w/{made.slug}/")) for path in new)
    monkeypatch.undo()
    site.publish()
    assert f"w/{made.slug}/" in site.read("index.html")


@pytest.mark.parametrize("after", range(0, 60, 7))
def test_a_crash_at_any_point_leaves_home_and_state_old_or_new(
    site: SiteDesk, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    site.publish()
    made = site.release({"990101": Level.RED})
    real, left = Path.replace, after

    def crash(self: Path, target: Path) -> Path:
        nonlocal left
        left -= 1
        if left < 0:
            raise KeyboardInterrupt
        return real(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", crash)
        try:
            site.publish()
        except KeyboardInterrupt:
            crashed = True
        else:
            crashed = False
    state = json.loads(site.read("current.json"))
    if state["active"]:
        assert (site.root / f"w/{made.slug}/index.html").is_file()
        for address in state["active"][0]["cap"]:
            assert (site.root / address.split("/", 3)[3]).is_file()
    home = site.read("index.html")
    assert "红色预警" in home or "当前无生效预警" in home
    if "红色预警" in home:
        assert state["active"]
    assert crashed or state["active"]
    site.publish()
    assert json.loads(site.read("current.json"))["active"]
    assert not [p for p in site.root.rglob(f"{files.TEMPORARY}*")]


def test_an_older_state_never_replaces_a_newer_one(site: SiteDesk) -> None:
    old = site.state()
    site.release({"990101": Level.RED})
    site.publish()
    before = everything(site.root)
    site.channel.publish(old)
    assert everything(site.root) == before


def test_unchanged_files_keep_their_place_on_disk(site: SiteDesk) -> None:
    site.release({"990101": Level.RED})
    site.publish()
    before = {p: p.stat().st_ino for p in site.root.rglob("*") if p.is_file()}
    site.now += timedelta(minutes=1)
    site.publish()
    moved = {p.name for p, inode in before.items() if p.stat().st_ino != inode}
    assert moved <= {"current.json", "current.geojson", "index.html"}
    assert sum(p.stat().st_ino != inode for p, inode in before.items()) <= 4


def test_pages_of_areas_that_are_gone_go_too_and_bulletins_stay(site: SiteDesk) -> None:
    made = site.release({"990101": Level.RED})
    site.publish()
    assert (site.root / "areas/990199/index.html").is_file()
    site.areas = {code: area for code, area in site.areas.items() if code != "990199"}
    site.publish()
    assert not (site.root / "areas/990199/index.html").exists()
    assert (site.root / f"w/{made.slug}/index.html").is_file()


def test_damaged_files_are_put_right_by_the_next_publication(site: SiteDesk) -> None:
    site.release({"990101": Level.RED})
    site.publish()
    good = site.read("index.html")
    (site.root / "index.html").write_text("broken")
    (site.root / "feeds/cap.atom").unlink()
    site.publish()
    assert site.read("index.html") == good
    assert (site.root / "feeds/cap.atom").is_file()


def test_the_lock_keeps_a_second_writer_waiting(tmp_path: Path) -> None:
    order: list[str] = []
    started = threading.Event()

    def second() -> None:
        started.set()
        with files.locked(tmp_path / ".lock"):
            order.append("second")

    with files.locked(tmp_path / ".lock"):
        other = threading.Thread(target=second)
        other.start()
        started.wait(10)
        order.append("first")
    other.join(10)
    assert order == ["first", "second"]


def test_many_writers_at_once_leave_the_newest_state(site: SiteDesk) -> None:
    site.release({"990101": Level.RED})
    states = [site.state() for _ in range(6)]
    writers = [threading.Thread(target=site.channel.publish, args=(state,)) for state in states]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert json.loads(site.read("current.json"))["sequence"] == states[-1].sequence


def test_a_page_that_is_missing_from_the_tree_is_unseen(tmp_path: Path) -> None:
    with pytest.raises(Unseen, match=r"w/2026-001/index\.html is not in the tree"):
        see("http://127.0.0.1:9", tmp_path, ["w/2026-001/index.html"])


def test_a_whole_tree_is_looked_at_in_turn_and_what_differs_is_named(site: SiteDesk) -> None:
    with serving(site.root) as url:
        site.facts["site"]["public_url"] = url
        site.release({"990101": Level.RED})
        site.channel.publish(site.state())
        assert site.channel.unseen() == ()
    look, elsewhere = TreeLook(), site.root.parent / "mirror"
    shutil.copytree(site.root, elsewhere)
    late = sorted(path.relative_to(elsewhere).as_posix() for path in elsewhere.rglob("index.html"))[-1]
    (elsewhere / late).write_text("of yesterday", "utf-8")
    with serving(elsewhere) as url:
        turns = [look.wrong(url, site.root) for _ in range(len(everything(site.root)) // 100 + 1)]
        assert f"{late} differs" in {fault for turn in turns for fault in turn}
        shutil.copy(site.root / late, elsewhere / late)
        assert look.wrong(url, site.root) == ()
        (elsewhere / "index.html").write_text("of yesterday", "utf-8")
        assert look.wrong(url, site.root) == ("index.html differs",)


def test_a_server_that_is_down_is_not_asked_for_everything(site: SiteDesk) -> None:
    with serving(site.root) as url:
        pass
    site.publish()
    assert len(TreeLook().wrong(url, site.root)) == 5


def test_what_is_written_anew_is_looked_at_first(site: SiteDesk) -> None:
    site.publish()
    look = TreeLook()
    with serving(site.root) as url:
        look.wrong(url, site.root)
        made = site.release({"990101": Level.RED})
        site.channel.publish(site.state())
        page = site.root / "w" / made.slug / "index.html"
        written = page.read_bytes()
        elsewhere = site.root.parent / "mirror"
        shutil.copytree(site.root, elsewhere)
    (elsewhere / "w" / made.slug / "index.html").write_bytes(written[:-9])
    with serving(elsewhere) as url:
        assert f"w/{made.slug}/index.html differs" in look.wrong(url, site.root)
