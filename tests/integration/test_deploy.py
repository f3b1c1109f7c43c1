"""The shipped nginx files serve a real tree as our own server does: types, caching, states that fail loudly."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.programs import program

from geowarn.demo.setting import free_port

DEPLOY = Path(__file__).parents[2] / "deploy"
REQUIRED = "GEOWARN_REQUIRE_NGINX"


def _tree(root: Path) -> None:
    files = {
        "index.html": "<p>首页" + "字" * 2000,
        "current.json": '{"sequence": 1}',
        "feeds/warnings.rss": "<rss/>",
        "feeds/cap.atom": "<feed/>",
        "cap/geowarn-2026-001-red.xml": "<alert/>",
        "w/2026-001/index.html": "<p>一号",
        "search.html": "<p>搜索没有答复",
        "en/search.html": "<p>Search does not reply",
        "say.html": "<p>表单没有答复",
        "en/say.html": "<p>The form does not reply",
        "static/public.css": "p{}",
        "archive/2026/1/warnings.csv": "warning",
        "sitemap.xml": "<urlset/>",
        "static/map.js": "",
        "robots.txt": "User-agent: *",
        "ledger/checkpoint": "{}",
        ".tree.json": "{}",
    }
    for name, body in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(body, "utf-8")


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """nginx with the shipped locations on a tree, plain HTTP on loopback, no application behind it."""
    nginx, port, dead = program(REQUIRED, "nginx", "/usr/sbin/nginx"), free_port(), free_port()
    root, own = tmp_path / "public", tmp_path / "nginx"
    own.mkdir()
    _tree(root)
    shutil.copy(DEPLOY / "nginx-proxy.conf", own / "proxy.conf")
    locations = (DEPLOY / "nginx-locations.conf").read_text("utf-8")
    locations = locations.replace("/srv/geowarn/public", str(root)).replace(
        "/etc/geowarn/nginx-proxy.conf", str(own / "proxy.conf")
    )
    (own / "locations.conf").write_text(locations, "utf-8")
    shared = (
        (DEPLOY / "nginx.conf").read_text("utf-8").split("server {")[0].replace("127.0.0.1:8765", f"127.0.0.1:{dead}")
    )
    temporary = " ".join(f"{kind}_temp_path {own};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (own / "nginx.conf").write_text(
        f"{'user root;' if os.geteuid() == 0 else ''} daemon off; master_process off; pid {own}/pid;"
        f" error_log {own}/error.log; events {{}}\n"
        f"http {{ access_log off; {temporary}\n{shared}\n"
        f"server {{ listen 127.0.0.1:{port};\ninclude {own}/locations.conf; }} }}\n",
        "utf-8",
    )
    with subprocess.Popen([nginx, "-c", str(own / "nginx.conf"), "-e", str(own / "error.log")]) as running:
        try:
            _wait(f"http://127.0.0.1:{port}/", running)
            yield f"http://127.0.0.1:{port}", root
        finally:
            running.terminate()


def _wait(address: str, running: subprocess.Popen[bytes]) -> None:
    for _ in range(100):
        assert running.poll() is None, "nginx refused the shipped configuration"
        try:
            urllib.request.urlopen(address, timeout=1).close()
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.05)
    raise AssertionError("nginx did not answer")


def ask(address: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    request = urllib.request.Request(address, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, {k.lower(): v for k, v in answer.headers.items()}, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, {k.lower(): v for k, v in error.headers.items()}, error.read()


@pytest.mark.parametrize(
    ("path", "media_type", "cache"),
    [
        ("/", "text/html; charset=utf-8", "public, max-age=30, must-revalidate"),
        ("/w/2026-001/", "text/html; charset=utf-8", "public, max-age=30, must-revalidate"),
        ("/feeds/warnings.rss", "application/rss+xml; charset=utf-8", "public, max-age=30, must-revalidate"),
        ("/feeds/cap.atom", "application/atom+xml; charset=utf-8", "public, max-age=30, must-revalidate"),
        ("/cap/geowarn-2026-001-red.xml", "application/cap+xml; charset=utf-8", "public, max-age=86400, immutable"),
        ("/current.json", "application/json; charset=utf-8", "public, max-age=30, must-revalidate"),
        ("/archive/2026/1/warnings.csv", "text/csv; charset=utf-8", "public, max-age=30, must-revalidate"),
        ("/static/map.js", "text/javascript; charset=utf-8", "public, max-age=3600"),
        ("/sitemap.xml", "application/xml; charset=utf-8", "public, max-age=30, must-revalidate"),
        ("/robots.txt", "text/plain; charset=utf-8", "public, max-age=30, must-revalidate"),
        ("/static/public.css", "text/css; charset=utf-8", "public, max-age=3600"),
        ("/ledger/checkpoint", "application/json; charset=utf-8", "public, max-age=30, must-revalidate"),
    ],
)
def test_types_and_caching(served: tuple[str, Path], path: str, media_type: str, cache: str) -> None:
    status, headers, _ = ask(served[0] + path)
    assert (status, headers["content-type"], headers["cache-control"]) == (200, media_type, cache)
    assert headers["content-security-policy"].startswith("default-src 'none'")
    again, _, body = ask(served[0] + path, **{"If-None-Match": headers["etag"]})
    assert (again, body) == (304, b"")


def test_machines_from_anywhere_may_read_the_state(served: tuple[str, Path]) -> None:
    assert ask(f"{served[0]}/current.json")[1]["access-control-allow-origin"] == "*"
    assert "access-control-allow-origin" not in ask(f"{served[0]}/")[1]


def test_a_long_page_is_compressed(served: tuple[str, Path]) -> None:
    _, headers, _ = ask(f"{served[0]}/", **{"Accept-Encoding": "gzip"})
    assert headers["content-encoding"] == "gzip"
    assert headers["vary"] == "Accept-Encoding"


def test_a_state_that_is_missing_is_503_and_a_page_404(served: tuple[str, Path]) -> None:
    address, root = served
    for path in ("feeds/warnings.rss", "current.json"):
        (root / path).unlink()
        time.sleep(2.1)  # the file cache holds for two seconds
        assert ask(f"{address}/{path}")[0] == 503
    assert ask(f"{address}/feeds/none.rss")[0] == 503
    assert ask(f"{address}/w/2026-999/")[0] == 404
    assert ask(f"{address}/.tree.json")[0] == 404


def test_without_the_application_pages_stay_and_the_desk_says_502(served: tuple[str, Path]) -> None:
    assert ask(f"{served[0]}/console/")[0] == 502
    assert ask(f"{served[0]}/broadcast/v1/items")[0] == 502
    for path, said in (
        ("search?q=1", "没有答复"),
        ("en/search", "does not reply"),
        ("say", "没有答复"),
        ("en/say", "does not reply"),
    ):
        status, _, body = ask(f"{served[0]}/{path}")
        assert (status, said in body.decode()) == (502, True)
    assert ask(f"{served[0]}/")[0] == 200
