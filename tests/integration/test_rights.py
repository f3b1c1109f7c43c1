"""Every role against every route, in one table: each part of the application brings its rows in a `rights_*.py`.

Such a module holds `ROUTES` ((method, path) → roles that may), and where needed `OPEN` and `SCOPES` (routes without a
console session), `FILLED` (what stands in a path's braces) and `FORMS` (fields looked at before the rights are).
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from geowarn.bootstrap import System
from geowarn.demo.setting import password_of
from geowarn.domain.level import Level
from geowarn.domain.people import Role
from geowarn.pipeline.actor import Actor
from geowarn.pipeline.people import add_user
from geowarn.pipeline.propose import propose_by_hand
from geowarn.security import hash_password
from geowarn.web.app import create_app

Route = tuple[str, str]
Officer = Callable[[str], Actor]
REASON = "后山七号点开裂，尚未复核"
OURS = {"Sec-Fetch-Site": "same-origin"}
PARTS = [
    importlib.import_module(f"tests.integration.{file.stem}")
    for file in sorted(Path(__file__).parent.glob("rights_*.py"))
]


def gathered(name: str) -> dict[Route, Any]:
    """One table over all parts; a route in two of them is a mistake."""
    found: dict[Route, Any] = {}
    for part in PARTS:
        rows = getattr(part, name, {})
        table = rows if isinstance(rows, dict) else dict.fromkeys(rows)
        assert not set(found) & set(table), f"{part.__name__} repeats {set(found) & set(table)}"
        found |= table
    return found


ROUTES, OPEN, SCOPES = gathered("ROUTES"), gathered("OPEN"), gathered("SCOPES")
FILLED, FORMS = gathered("FILLED"), gathered("FORMS")


def routes_of(routes: Iterable[Any]) -> Iterator[Route]:
    """Every (method, path) the application answers; HEAD goes with GET."""
    for route in routes:
        inner = getattr(route, "original_router", None)
        if inner is not None:
            yield from routes_of(inner.routes)
        else:
            path = re.sub(r"\{(\w+):\w+\}", r"{\1}", route.path)
            yield from ((method, path) for method in route.methods if method != "HEAD")


def path_of(route: Route, warning: str) -> str:
    """The route's address with something in its braces."""
    values = {"name": warning, "path": "none"} | FILLED.get(route, {})
    return re.sub(r"\{(\w+)\}", lambda found: values.get(found[1], "none"), route[1])


@pytest.fixture
def app_routes(demo_system: System) -> set[Route]:
    return set(routes_of(create_app(demo_system).routes))


@pytest.fixture
def warning(demo_system: System, officer: Officer) -> str:
    add(demo_system, "victim", "disclosure")
    return propose_by_hand(demo_system.desk, {"370687": Level.RED}, 24, REASON, "巡查", officer("duty")).warning_id


def add(system: System, name: str, *roles: str) -> None:
    add_user(system.store, system.clock, hash_password, name, name, name, roles, password_of(name), "test")


def logged_in(system: System, name: str) -> tuple[TestClient, str]:
    client = TestClient(create_app(system), follow_redirects=False)
    form = {"name": name, "password": password_of(name)}
    assert client.post("/console/login", data=form, headers=OURS).status_code == 303
    page = client.get("/console/account").text
    return client, page.split('name="form_token" value="')[1].split('"')[0]


def last_entry(system: System) -> int:
    with system.store.read() as work:
        head = work.ledger.head()
    return head.sequence if head else 0


def call(client: TestClient, route: Route, path: str, token: str, headers: dict[str, str]) -> int:
    if route[0] == "GET":
        return client.get(path).status_code
    form = {"form_token": token, **FORMS.get(route, {})}
    return client.request(route[0], path, data=form, headers=headers).status_code


def test_every_route_stands_in_the_table_and_the_table_names_no_other(app_routes: set[Route]) -> None:
    named = [*ROUTES, *OPEN, *SCOPES]
    assert sorted(app_routes - set(named)) == []
    assert sorted(set(named) - app_routes) == []
    assert len(named) == len(set(named))
    assert len(ROUTES) > 30


@pytest.mark.parametrize("role", list(Role), ids=lambda role: role.value)
def test_a_role_may_call_its_routes_and_no_other(demo_system: System, warning: str, role: Role) -> None:
    add(demo_system, "someone", role.value)
    client, token = logged_in(demo_system, "someone")
    wrong = []
    for route, roles in sorted(ROUTES.items()):
        if route == ("POST", "/console/logout"):
            continue
        before = last_entry(demo_system)
        status = call(client, route, path_of(route, warning), token, OURS)
        if role in roles:
            fine = status < 500 and status not in (401, 403, 422)
        else:
            # What is not there is not there for anyone; and nothing was done.
            absent = status == 404 and "{" in route[1] and route not in FILLED and "{name}" not in route[1]
            fine = (status == 403 or absent) and last_entry(demo_system) == before
        if not fine:
            wrong.append((*route, status))
    assert wrong == [], wrong
    assert call(client, ("POST", "/console/logout"), "/console/logout", token, OURS) == 303
    assert client.get("/console/").status_code == 303


def test_nobody_comes_in_without_logging_in(demo_system: System, warning: str) -> None:
    client = TestClient(create_app(demo_system), follow_redirects=False)
    before = last_entry(demo_system)
    for route in ROUTES:
        answer = client.request(route[0], path_of(route, warning), headers=OURS)
        assert answer.status_code == 303, route
        assert answer.headers["location"].startswith("/console/login?next="), route
    assert last_entry(demo_system) == before


def test_no_other_site_can_have_a_person_do_anything(demo_system: System, warning: str) -> None:
    client, token = logged_in(demo_system, "duty")
    before = last_entry(demo_system)
    for route in ROUTES:
        if route[0] == "GET":
            continue
        path = path_of(route, warning)
        for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.test"}, {}):
            assert call(client, route, path, token, headers) == 403, route
        assert call(client, route, path, "someone else's", OURS) == 409, route
    assert last_entry(demo_system) == before


def test_an_auditor_reads_everything_and_changes_nothing(demo_system: System, warning: str) -> None:
    may = {route for route, roles in ROUTES.items() if Role.AUDITOR in roles}
    reading = {route for route in ROUTES if route[0] == "GET"}
    assert reading <= may
    own = ("/console/logout", "/console/account")
    assert all(path.startswith(own) for method, path in may if method != "GET")


def test_what_is_open_says_nothing_of_what_is_under_review(demo_system: System, warning: str) -> None:
    client = TestClient(create_app(demo_system), follow_redirects=False)
    for route in OPEN:
        if route[0] != "GET":
            continue
        answer = client.get(path_of(route, warning))
        assert answer.status_code not in (303, 500) or route[1] in ("/console", "/console/login/code"), route
        assert REASON not in answer.text, route
