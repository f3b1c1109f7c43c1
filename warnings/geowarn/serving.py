"""Runs the parts of an installation in this process until told to stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager

import uvicorn

from geowarn.bootstrap import System
from geowarn.domain.errors import Refused
from geowarn.scheduler import Scheduler, publish_all
from geowarn.web.app import create_app
from geowarn.web.connection import connections_with
from geowarn.web.ready import ReadyAnswers
from geowarn.worker import Worker

PARTS = ("web", "scheduler", "worker")


@contextmanager
def web_server(system: System, host: str, port: int) -> Iterator[int]:
    """Serve pages and console in a thread; yields the port once it answers."""
    app = create_app(system)
    ready = ReadyAnswers(app.state.tree, strict_transport=system.settings.site.public_url.startswith("https://"))
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        http=connections_with(ready),
        log_level="warning",
        access_log=False,
        server_header=False,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=_run, args=(server,), name="web", daemon=True)
    thread.start()
    while not server.started:
        if not thread.is_alive():
            raise Refused("serve.port-taken", host=host, port=port)
        time.sleep(0.02)
    try:
        yield int(server.servers[0].sockets[0].getsockname()[1])
    finally:
        app.state.live.close()  # the server waits for open streams
        server.should_exit = True
        thread.join(10)


def _run(server: uvicorn.Server) -> None:
    try:
        server.run()
    except SystemExit:  # uvicorn's way to say that it could not bind
        return


@contextmanager
def running(system: System, host: str, port: int, parts: Iterable[str] = PARTS) -> Iterator[int]:
    """The parts named, started in the order web, worker, scheduler and stopped in reverse; yields the web port or 0."""
    wanted = set(parts)
    with ExitStack() as stack:
        bound = stack.enter_context(web_server(system, host, port)) if "web" in wanted else 0
        if "web" in wanted:
            publish_all(system)
        if "worker" in wanted:
            worker = Worker(system)
            worker.start()
            stack.callback(worker.stop)
        if "scheduler" in wanted:
            scheduler = Scheduler(system)
            scheduler.start()
            stack.callback(scheduler.stop)
        yield bound


def serve_until(system: System, stop: threading.Event, host: str, port: int, parts: Iterable[str] = PARTS) -> None:
    """Run until `stop` is set."""
    with running(system, host, port, parts):
        while not stop.wait(0.5):
            pass
