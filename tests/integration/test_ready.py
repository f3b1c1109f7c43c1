"""What is answered straight from memory is byte for byte what the application answers, for as long as it is true."""

from __future__ import annotations

import http.client
import shutil
import socket
from asyncio import Transport
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from geowarn.bootstrap import System, open_system
from geowarn.demo.setting import free_port
from geowarn.scheduler import publish_all
from geowarn.serving import web_server
from geowarn.web import connection
from geowarn.web import ready as ready_module
from geowarn.web.app import create_app
from geowarn.web.connection import LARGEST_HEAD
from geowarn.web.ready import ReadyAnswers

BROWSER = {"accept-encoding": "gzip, deflate, br"}


@pytest.fixture(scope="module")
def published(demo_now: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """An installation with its tree; a test that changes a file puts it right again."""
    folder = tmp_path_factory.mktemp("ready") / "data"
    system = open_system(Path(shutil.copytree(demo_now, folder)))
    publish_all(system)
    yield system
    system.store.dispose()


@pytest.fixture
def client(published: System) -> TestClient:
    return TestClient(create_app(published))


@pytest.fixture
def ready(client: TestClient) -> ReadyAnswers:
    return ReadyAnswers(client.app.state.tree, strict_transport=False)  # type: ignore[attr-defined]


def found(
    ready: ReadyAnswers, path: str, headers: dict[str, str], method: str = "GET"
) -> tuple[int, dict[str, str], bytes] | None:
    """Status, headers and body of a ready answer."""
    lines = [(name.encode(), value.encode()) for name, value in headers.items()]
    answer = ready.find(method.encode(), path.encode(), lines)
    if answer is None:
        return None
    head, _, body = answer[1].partition(b"\r\n\r\n")
    named = (line.split(": ", 1) for line in head.decode("latin-1").split("\r\n"))
    return answer[0], {name.lower(): value for name, value in named}, body


def asked(
    client: TestClient, path: str, headers: dict[str, str], method: str = "GET"
) -> tuple[int, dict[str, str], bytes]:
    """The same from the application, the body as it goes over the line."""
    plain = {"accept-encoding": "", "connection": "keep-alive"} | headers
    with client.stream(method, path, headers=plain) as answer:
        body = b"".join(answer.iter_raw())
        return answer.status_code, dict(answer.headers), body


def paths(system: System) -> list[str]:
    every = [path for path in system.public_dir.rglob("*") if path.is_file() and not path.name.startswith(".")]
    addresses = [f"/{path.relative_to(system.public_dir).as_posix()}" for path in every]
    return sorted({address.removesuffix("index.html") for address in addresses})


def test_every_file_is_answered_as_the_application_answers_it(
    published: System, client: TestClient, ready: ReadyAnswers
) -> None:
    for path in [path for number, path in enumerate(paths(published)) if number % 7 == 0 or path.count("/") < 3]:
        for headers in ({}, BROWSER):
            whole = asked(client, path, headers)
            assert whole[0] == 200, path
            assert found(ready, path, headers) == whole, path
            again = headers | {"if-none-match": whole[1]["etag"]}
            assert found(ready, path, again) == asked(client, path, again), path
            assert found(ready, path, headers, "HEAD") == asked(client, path, headers, "HEAD"), path


def test_what_was_never_read_is_left_to_the_application(ready: ReadyAnswers) -> None:
    assert found(ready, "/current.json", {}) is None


@pytest.mark.parametrize(
    ("path", "headers", "method"),
    [
        ("/current.json?x=1", {}, "GET"),
        ("/%63urrent.json", {}, "GET"),
        ("/static/../current.json", {}, "GET"),
        ("/.lock", {}, "GET"),
        ("/current.json", {}, "POST"),
        ("/current.json", {"range": "bytes=0-1"}, "GET"),
        ("/current.json", {"connection": "close"}, "GET"),
        ("/current.json", {"content-length": "3"}, "GET"),
        ("/current.json", {"if-none-match": '"other"'}, "GET"),
        ("/current.json", {"if-modified-since": "Thu, 26 Nov 2026 00:00:00 GMT"}, "GET"),
        ("/console/", {}, "GET"),
        ("/static", {}, "GET"),
    ],
)
def test_whatever_is_special_is_left_to_the_application(
    client: TestClient, ready: ReadyAnswers, path: str, headers: dict[str, str], method: str
) -> None:
    client.get("/current.json")
    assert found(ready, "/current.json", {}) is not None
    assert found(ready, path, headers, method) is None


def test_a_file_that_is_replaced_is_never_answered_from_before(
    published: System, client: TestClient, ready: ReadyAnswers
) -> None:
    client.get("/current.json")
    assert found(ready, "/current.json", {}) is not None
    newer = published.public_dir / ".newer"
    newer.write_bytes(b'{"sequence": 99}')
    newer.replace(published.public_dir / "current.json")
    assert found(ready, "/current.json", {}) is None
    client.get("/current.json")
    answer = found(ready, "/current.json", {})
    assert answer is not None
    assert answer[2] == b'{"sequence": 99}'


def test_a_tree_that_is_not_whole_is_not_answered(
    published: System, client: TestClient, ready: ReadyAnswers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ready_module, "WHOLE_SECONDS", 0.0)
    client.get("/feeds/cap.atom")
    assert found(ready, "/feeds/cap.atom", {}) is not None
    page = published.public_dir / "index.html"
    page.rename(page.with_name(".away"))
    try:
        assert found(ready, "/feeds/cap.atom", {}) is None
        assert client.get("/feeds/cap.atom").status_code == 503
    finally:
        page.with_name(".away").rename(page)


@pytest.fixture
def port(published: System) -> Iterator[int]:
    with web_server(published, "127.0.0.1", free_port()) as bound:
        yield bound


def test_one_connection_carries_both_ways_in_turn(port: int, published: System) -> None:
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    bodies = []
    for path in ("/current.json", "/current.json", "/console/login", "/current.json", "/none", "/current.json"):
        line.request("GET", path)
        answer = line.getresponse()
        bodies.append((answer.status, answer.read()))
        assert answer.headers["date"]
    line.close()
    whole = (200, (published.public_dir / "current.json").read_bytes())
    assert [bodies[at] for at in (0, 1, 3, 5)] == [whole] * 4
    assert [bodies[at][0] for at in (2, 4)] == [200, 404]


def test_requests_sent_at_once_are_answered_in_their_order(port: int, published: System) -> None:
    warm = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    warm.request("GET", "/robots.txt")
    robots = warm.getresponse().read()
    warm.close()
    asks = ("/robots.txt", "/console/login", "/robots.txt", "/no-such-page", "/robots.txt")
    with socket.create_connection(("127.0.0.1", port), timeout=30) as line:
        last = "\r\nConnection: close"
        line.sendall(
            "".join(
                f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1{last if at == len(asks) - 1 else ''}\r\n\r\n"
                for at, path in enumerate(asks)
            ).encode()
        )
        said = b""
        while data := line.recv(65536):
            said += data
    answers = said.split(b"HTTP/1.1 ")[1:]
    assert [answer[:3] for answer in answers] == [b"200", b"200", b"200", b"404", b"200"]
    assert [answer.endswith(robots) for answer in answers] == [True, False, True, False, True]


def everything(line: socket.socket) -> bytes:
    said = b""
    try:
        while data := line.recv(65536):
            said += data
    except ConnectionResetError:  # bytes were still on their way when the server closed
        pass
    return said


@pytest.mark.parametrize("endless", [b"GET /current.json HTTP/1.1\r\nX: ", b"GET /"], ids=["header", "address"])
def test_a_request_whose_head_never_ends_is_let_go(port: int, endless: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=30) as line:
        line.sendall(endless)
        try:
            for _ in range(4096):  # 16 MB, were anybody to take them
                line.sendall(b"a" * 4096)
        except OSError:
            pass
        else:
            pytest.fail("the server took all of it")


def test_a_form_may_be_longer_than_a_head(port: int) -> None:
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    for _ in range(2):
        line.request("POST", "/console/login", b"name=" + b"a" * 2 * LARGEST_HEAD)
        answer = line.getresponse()
        answer.read()
        assert answer.status not in (408, 431)
    line.close()


def test_who_never_finishes_a_request_is_let_go(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "LONGEST_HEAD", 0.2)
    for begun in (b"", b"GET /current.json HTTP/1.1\r\n"):
        with socket.create_connection(("127.0.0.1", port), timeout=30) as line:
            line.sendall(begun)
            assert everything(line).startswith(b"HTTP/1.1 408 ")
    with socket.create_connection(("127.0.0.1", port), timeout=30) as line:
        line.sendall(b"GET /robots.txt HTTP/1.1\r\nHost: a\r\n\r\nGET /robots.txt HTTP/1.1\r\n")
        said = everything(line)
    assert said.startswith(b"HTTP/1.1 200 ")
    assert b"HTTP/1.1 408 " in said


def test_too_many_at_once_are_told_to_come_again(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "MOST_CONNECTIONS", 2)
    with ExitStack() as open_lines:
        here = [open_lines.enter_context(socket.create_connection(("127.0.0.1", port), timeout=30)) for _ in range(3)]
        assert everything(here[2]).startswith(b"HTTP/1.1 503 ")
        here[0].sendall(b"GET /robots.txt HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert everything(here[0]).startswith(b"HTTP/1.1 200 ")


def test_an_answer_behind_a_ready_one_is_not_cut(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first answer begins to wait for a next request, which came with it and takes longer than that."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as warm:
        warm.request("GET", "/robots.txt")
        warm.getresponse().read()
    made = connection.Connection.connection_made

    def in_haste(self: connection.Connection, transport: Transport) -> None:
        made(self, transport)
        self.timeout_keep_alive = 0

    monkeypatch.setattr(connection.Connection, "connection_made", in_haste)
    with socket.create_connection(("127.0.0.1", port), timeout=30) as line:
        line.sendall(b"".join(b"GET /%s HTTP/1.1\r\nHost: a\r\n\r\n" % path for path in (b"robots.txt", b"en/none")))
        said = everything(line)
    assert [answer[:3] for answer in said.split(b"HTTP/1.1 ")[1:]] == [b"200", b"404"]


def test_what_lies_outside_the_tree_is_never_answered(client: TestClient, ready: ReadyAnswers, tmp_path: Path) -> None:
    for path in ("/../geowarn.toml", "//etc/passwd", "/static/../../geowarn.toml"):
        assert found(ready, path, {}) is None
