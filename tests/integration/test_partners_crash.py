"""Killed at each place and started again: one proposal a request, every event told, none told twice without its id."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from tests.integration.api_desk import ApiDesk
from tests.integration.forked import ended

from geowarn.bootstrap import System, open_system
from geowarn.hook_service import hook_places
from geowarn.pipeline.hooks import add_hook

pytestmark = pytest.mark.usefixtures("machine_time")


def child(folder: Path, act: str, place: str = "") -> str:
    """Run the act and return what it printed; with a place the process must have killed itself there."""
    done = ended(
        "tests.integration.partners_crash_child", str(folder), act, place, GEOWARN_PARTNERS__HOOK_SECONDS="0.1"
    )
    assert done.returncode == (-signal.SIGKILL if place else 0), done.stdout
    return done.stdout


@pytest.mark.parametrize(
    "place",
    [
        "+geowarn.pipeline.propose:open_warning",
        "-geowarn.store.repositories.partners:SqlAnsweredRequests.answer",
        "+geowarn.store.unit_of_work:SqlUnitOfWork.commit",
    ],
)
def test_a_request_is_one_proposal_wherever_it_was_cut(demo_folder: Path, place: str) -> None:
    child(demo_folder, "propose", place)
    first, again = (child(demo_folder, "propose") for _ in range(2))
    assert first == again
    system = open_system(demo_folder)
    with system.store.read() as work:
        assert [warning.id for warning in work.warnings.all()] == [first.strip()]
    system.store.dispose()


@pytest.fixture
def far_end() -> Iterator[tuple[str, list[tuple[str, str]]]]:
    got: list[tuple[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            got.append((self.headers["X-Geowarn-Event"], self.headers["Idempotency-Key"]))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/", got
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("place", "repeats"),
    [
        ("+geowarn.store.repositories.hooks:SqlHooks.add", 0),
        ("+geowarn.store.repositories.hooks:SqlHooks.advance", 0),
        ("-geowarn.pipeline.hook_sending:_call", 0),
        ("-geowarn.pipeline.hook_sending:judged", 1),  # the far end had it: the repeat carries the same id
        ("+geowarn.store.repositories.hooks:SqlHooks.record", 1),
    ],
)
def test_every_event_is_told_wherever_it_was_cut(
    demo_system: System, far_end: tuple[str, list[tuple[str, str]]], place: str, repeats: int
) -> None:
    system, (url, got) = demo_system, far_end
    events = ["bulletin.released", "proposal.opened"]
    add_hook(
        system.store, system.clock, system.vault, "test", "duty", True, url, events, hook_places(system), internal=True
    )
    desk = ApiDesk(system, None)  # type: ignore[arg-type]
    desk.released()
    child(system.data_dir, "hooks", place)
    with system.store.begin() as work:  # the dead process's claims run out
        for hook in work.hooks.all():
            for row in work.hooks.deliveries(hook.id):
                if row.lease_until is not None:
                    from dataclasses import replace

                    from geowarn.ports import HookAttempt

                    lapsed = replace(row, lease_until=system.clock.now())
                    work.hooks.record(lapsed, HookAttempt(row.id, system.clock.now(), None, 0, None))
        work.commit()
    child(system.data_dir, "hooks")
    child(system.data_dir, "hooks")
    assert sorted(set(event for event, _ in got)) == events
    assert len({key for _, key in got}) == 2
    assert len(got) == 2 + repeats
