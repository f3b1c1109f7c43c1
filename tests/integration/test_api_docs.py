"""Every `curl` of docs/api.md does what the page says, against the real server."""

from __future__ import annotations

import json
import re
import shlex
import urllib.request
from pathlib import Path

from starlette.testclient import TestClient
from tests.integration.api_desk import ApiDesk

from geowarn.bootstrap import System
from geowarn.domain.partner import Scope
from geowarn.serving import web_server
from geowarn.web.app import create_app

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text("utf-8")
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def commands() -> list[list[str]]:
    lines = "".join(BLOCK.findall(PAGE)).replace("\\\n", " ").splitlines()
    return [shlex.split(line)[1:] for line in lines if line.startswith("curl ")]


def request_of(words: list[str], values: dict[str, str]) -> urllib.request.Request:
    """What curl would send: -X, -H, -d and the address."""
    method, headers, body, url, left = "GET", {}, None, "", list(words)
    while left:
        word = left.pop(0)
        if word == "-X":
            method = left.pop(0)
        elif word == "-H":
            name, _, value = left.pop(0).partition(": ")
            headers[name] = value
        elif word == "-d":
            body = left.pop(0).encode()
        else:
            url = word
    for name, value in values.items():
        url = url.replace(f"${name}", value)
        headers = {key: text.replace(f"${name}", value) for key, text in headers.items()}
    return urllib.request.Request(url, body, headers, method=method)


def test_every_call_on_the_page_works(demo_system: System) -> None:
    assert len(commands()) >= 7
    with TestClient(create_app(demo_system)) as client, web_server(demo_system, "127.0.0.1", 0) as port:
        desk = ApiDesk(demo_system, client)
        desk.released()
        key = desk.key("duty", Scope.READ, Scope.PROPOSE, Scope.WEBHOOKS)
        for number, words in enumerate(commands()):
            values = {"KEY": key.token, "GEOWARN": f"http://127.0.0.1:{port}", "ONCE": f"an-act-{number}"}
            with urllib.request.urlopen(request_of(words, values), timeout=60) as answer:
                assert answer.status in (200, 201), words
                assert json.loads(answer.read()), words


def test_the_page_names_every_scope_event_and_setting(demo_system: System) -> None:
    from geowarn.domain.partner import Event

    for name in (*Scope, *Event):
        assert f"`{name.value}`" in PAGE, name
    for setting in type(demo_system.settings.partners).model_fields:
        assert setting in PAGE, setting
