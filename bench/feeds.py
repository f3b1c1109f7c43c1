"""The public tree as readers meet it: `make bench-feeds`; needs wrk and nginx.

One run measures, side by side: nginx with the shipped file against nginx with a plain `root`, our own server against
Starlette's StaticFiles on the same uvicorn, for 200 and for 304; then the time from a release to the first and to the
last of its artefacts as they are seen through the public address, in a city of 3,000 areas while readers poll.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from geowarn.bootstrap import System
    from geowarn.pipeline.actor import Actor

HERE = Path(__file__).parent
DEPLOY = HERE.parent / "deploy"
SECONDS, ROUNDS, CONNECTIONS = 4, 3, 32
PAGE = "feeds/warnings.atom"
POLLING = 8  # readers that ask every 10 ms
RELEASES = 5
SETTLING = 15  # seconds after the start: a server that runs, not one that is just doing its first publication
COLUMNS, ROWS = 60, 50  # 3,000 areas


def wanted(program: str) -> str:
    """Where a program lies that this bench needs."""
    found = shutil.which(program) or shutil.which(f"/usr/sbin/{program}")
    if found is None:
        sys.exit(f"{program} is not installed; this bench needs wrk and nginx")
    return found


@contextmanager
def child(mode: str, *arguments: str) -> Iterator[int]:
    """A server of ours or of Starlette's in a process of its own; yields its port."""
    command = [sys.executable, str(Path(__file__)), mode, *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        yield int(running.stdout.readline())
        running.terminate()


@contextmanager
def nginx(root: Path, own: Path, shipped: bool, port: int) -> Iterator[int]:
    """nginx on a tree: with the shipped locations, or with no more than `root`."""
    own.mkdir()
    temporary = " ".join(f"{kind}_temp_path {own};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    shared, server = "", f"listen 127.0.0.1:{port}; root {root}; default_type application/atom+xml;"
    if shipped:
        proxy = own / "proxy.conf"
        shutil.copy(DEPLOY / "nginx-proxy.conf", proxy)
        locations = (DEPLOY / "nginx-locations.conf").read_text("utf-8").replace("/srv/geowarn/public", str(root))
        (own / "locations.conf").write_text(locations.replace("/etc/geowarn/nginx-proxy.conf", str(proxy)), "utf-8")
        shared = (DEPLOY / "nginx.conf").read_text("utf-8").split("server {")[0]
        server = f"listen 127.0.0.1:{port}; include {own}/locations.conf;"
    (own / "nginx.conf").write_text(
        f"{'user root;' if os.geteuid() == 0 else ''} daemon off; worker_processes 1; pid {own}/pid;"
        f" error_log {own}/error.log; events {{}}\n"
        f"http {{ access_log off; {temporary}\n{shared}\nserver {{ {server} }} }}\n",
        "utf-8",
    )
    with subprocess.Popen([wanted("nginx"), "-c", str(own / "nginx.conf"), "-e", str(own / "error.log")]) as running:
        until(lambda: bool(read(port, PAGE)))
        yield port
        running.terminate()


def until(holds: Callable[[], bool], patience: float = 60) -> float:
    """Wait until it holds; returns the moment."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        try:
            if holds():
                return time.monotonic()
        except OSError:
            pass
        time.sleep(0.01)
    raise TimeoutError("it never came")


def read(port: int, path: str) -> bytes:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=10) as answer:
        body: bytes = answer.read()
        return body


def etag(port: int, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=10) as answer:
        return str(answer.headers["ETag"])


def rate(port: int, *headers: str) -> float:
    """Requests a second that wrk gets answered."""
    command = [wanted("wrk"), "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}", *(x for h in headers for x in ("-H", h))]
    done = subprocess.run([*command, f"http://127.0.0.1:{port}/{PAGE}"], capture_output=True, text=True, check=True)
    if "Non-2xx or 3xx" in done.stdout or "Socket errors" in done.stdout:
        sys.exit(done.stdout)
    found = re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)
    assert found is not None, done.stdout
    return float(found[1])


def serve_ours(folder: str, tree: str) -> None:
    from geowarn.demo.setting import free_port, open_demo
    from geowarn.serving import web_server

    port = free_port()
    system = open_demo(Path(folder), port)
    shutil.copytree(tree, system.public_dir, dirs_exist_ok=True)
    with web_server(system, "127.0.0.1", port):
        print(port, flush=True)
        sys.stdin.read()


def serve_static(tree: str) -> None:
    import uvicorn
    from starlette.applications import Starlette
    from starlette.routing import Mount
    from starlette.staticfiles import StaticFiles

    from geowarn.demo.setting import free_port

    port = free_port()
    app = Starlette(routes=[Mount("/", StaticFiles(directory=tree, html=True))])
    threading.Timer(2, lambda: print(port, flush=True)).start()
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="error", access_log=False)


def city(folder: Path) -> Path:
    """A GeoJSON of 3,000 counties, like tiles beside each other."""
    features = []
    for at in range(COLUMNS * ROWS):
        west, south = 116 + at % COLUMNS * 0.1, 34 + at // COLUMNS * 0.1
        ring = [[west, south], [west + 0.1, south], [west + 0.1, south + 0.1], [west, south + 0.1], [west, south]]
        facts = {"code": f"8{at:05d}", "kind": "county", "name_zh": f"第{at}县", "name_en": f"County {at}"}
        geometry = {"type": "Polygon", "coordinates": [ring]}
        features.append({"type": "Feature", "properties": facts, "geometry": geometry})
    path = folder / "city.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), "utf-8")
    return path


def one_release(system: System, officer: Actor, port: int, number: int) -> tuple[float, float]:
    """Seconds from the officer's press to the first and to the last artefact at the public address."""
    from geowarn.demo.play import officer_releases, officers_sign
    from geowarn.domain.level import Level
    from geowarn.pipeline.propose import propose_by_hand
    from geowarn_channels.site_tree import bulletin_files

    levels = {f"8{number * 7 + at:05d}": Level.YELLOW for at in range(5)}
    warning = propose_by_hand(system.desk, levels, 24, "bench", "bench", officer).warning_id
    officers_sign(system, warning)
    began = time.monotonic()
    bulletin = officer_releases(system, warning)
    with system.store.read() as work:
        artefacts = work.bulletins.artefacts(bulletin.id)
    slug = bulletin.slug.encode()
    paths = [path.removesuffix("index.html") for path in bulletin_files(bulletin, artefacts)]
    own = next(path for path in paths if not path.startswith("feeds/"))
    first = until(lambda: slug in read(port, own))
    for path in (*paths, "current.json", ""):
        last = until(partial(shows, port, path, slug))
    return first - began, last - began


def shows(port: int, path: str, slug: bytes) -> bool:
    return slug in read(port, path)


def release_under_load(folder: str) -> None:
    """The whole line in one process, as `geowarn serve` runs it; prints seconds to the first and last artefact."""
    from geowarn.demo.run import far_end
    from geowarn.demo.setting import free_port, open_demo, put_on_duty
    from geowarn.pipeline.actor import Actor, find_user
    from geowarn.pipeline.areas import import_areas
    from geowarn.serving import running

    home, port = Path(folder), free_port()
    system = open_demo(home / "data", port)
    put_on_duty(system)
    import_areas(system.store, system.clock, [city(home)], "bench")
    with system.store.read() as work:
        officer = Actor(find_user(work, "duty"), "command line", "bench")
    delay = home / "delay.lua"
    delay.write_text("function delay() return 10 end\n", "utf-8")
    with far_end(system), running(system, "127.0.0.1", port):
        polled = [wanted("wrk"), "-t1", f"-c{POLLING}", "-d900", "-s", str(delay)]
        with subprocess.Popen([*polled, f"http://127.0.0.1:{port}/current.json"], stdout=subprocess.DEVNULL) as polling:
            time.sleep(SETTLING)
            try:
                found = [one_release(system, officer, port, number) for number in range(RELEASES)]
            finally:
                polling.terminate()
    system.store.dispose()
    print(json.dumps(found), flush=True)


def main() -> None:
    console = Console(stderr=True)
    with tempfile.TemporaryDirectory(prefix="geowarn-bench-") as name:
        folder = Path(name)
        console.print("a demo's tree")
        demo = ["demo", "--auto", "--port", "0", "--data", str(folder / "demo")]
        subprocess.run([sys.executable, "-m", "geowarn", *demo], check=True, stdout=subprocess.DEVNULL)
        tree = folder / "demo" / "public"
        os.chmod(folder, 0o755)
        rows = compared(console, folder, tree)
        console.print("releases in a city of 3,000 areas, readers polling")
        done = subprocess.run(
            [sys.executable, str(Path(__file__)), "release", str(folder)], stdout=subprocess.PIPE, check=True, text=True
        )
        times = json.loads(done.stdout.splitlines()[-1])
    report(rows, times)


def compared(console: Console, folder: Path, tree: Path) -> dict[tuple[str, str], float]:
    from geowarn.demo.setting import free_port

    rates: dict[tuple[str, str], list[float]] = {}
    with (
        nginx(tree, folder / "plain", False, free_port()) as plain,
        nginx(tree, folder / "shipped", True, free_port()) as shipped,
        child("ours", str(folder / "ours"), str(tree)) as ours,
        child("static", str(tree)) as static,
    ):
        for turn in range(ROUNDS):
            console.print(f"round {turn + 1} of {ROUNDS}")
            servers = {"nginx root": plain, "nginx shipped": shipped, "StaticFiles": static, "ours": ours}
            for server, port in servers.items():
                rates.setdefault((server, "200"), []).append(rate(port))
                rates.setdefault((server, "304"), []).append(rate(port, f"If-None-Match: {etag(port, PAGE)}"))
    return {key: statistics.median(found) for key, found in rates.items()}


def report(rates: dict[tuple[str, str], float], times: list[tuple[float, float]]) -> None:
    table = Table(title=f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {PAGE}, {CONNECTIONS} connections")
    for column in ("what", "per second", "ratio", "to reach"):
        table.add_column(column, justify="left" if column == "what" else "right")
    for kind in ("200", "304"):
        for server, beside, goal in (("nginx shipped", "nginx root", ">= 0.90"), ("ours", "StaticFiles", ">= 10")):
            ratio = rates[server, kind] / rates[beside, kind]
            table.add_row(f"{beside}, {kind}", f"{rates[beside, kind]:,.0f}", "", "")
            table.add_row(f"{server}, {kind}", f"{rates[server, kind]:,.0f}", f"{ratio:.2f}", goal)
    for what, at, goal in (("first artefact", 0, "<= 1 s"), ("last artefact", 1, "<= 3 s")):
        every = ", ".join(f"{one[at]:.2f}" for one in times)
        worst = max(one[at] for one in times)
        table.add_row(f"release to {what}, 3,000 areas, {POLLING} readers polling", every, f"{worst:.2f} s", goal)
    Console(width=130).print(table)


if __name__ == "__main__":
    modes: dict[str, Callable[..., None]] = {"ours": serve_ours, "static": serve_static, "release": release_under_load}
    modes[sys.argv[1]](*sys.argv[2:]) if len(sys.argv) > 1 else main()
