"""What a long archive costs: `make bench-archive`; a store with 50 and one with 5,000 released and ended bulletins.

Each line is one act in both stores, one after the other in a process of its own: seconds, and what does not depend on
the machine: statements, rows that came back, files looked at, read to be compared, and written, pages drawn. The
stores are real ones (`archived.py`); `--stores DIR` keeps them for the next run, `--bulletins` makes another length.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from geowarn.demo.setting import password_of
from geowarn.pipeline.watch import end_validity
from geowarn.ports import Delivery, Target

if TYPE_CHECKING:
    from archived import Ahead

    from geowarn.bootstrap import System
    from geowarn.domain.bulletin import Bulletin

SHORT, LONG = 50, 5000
WHAT = ("statements", "rows", "looked at", "read", "written", "drawn")
Measured = dict[str, dict[str, float]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bulletins", type=int, default=LONG)
    parser.add_argument("--stores", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="geowarn-bench-") as name:
        folder = given.stores or Path(name)
        found = {}
        for count in (SHORT, given.bulletins):
            command = [sys.executable, __file__, "measure", str(folder / str(count)), str(count)]
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
            found[count] = json.loads(done.stdout.splitlines()[-1])
    report(*found.items())


def report(short: tuple[int, Measured], long: tuple[int, Measured]) -> None:
    table = Table(title=f"an archive of so many bulletins beside one of so many: {short[0]:,} → {long[0]:,}")
    for column in ("what", "seconds", *WHAT):
        table.add_column(column, justify="left" if column == "what" else "right")
    for act, costs in long[1].items():
        before = short[1][act]
        counts = (f"{before.get(one, 0):,.0f} → {costs.get(one, 0):,.0f}" for one in WHAT)
        table.add_row(act, f"{before['seconds']:.2f} → {costs['seconds']:.2f}", *counts)
    Console(width=150).print(table)


@contextmanager
def bar(what: str) -> Iterator[Callable[[int, int], None]]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, of: progress.update(task, completed=done, total=of)


def opened(folder: Path, count: int) -> tuple[System, Ahead]:
    """The store, made if it is not there yet, with the clock that its seeding has left."""
    from archived import Ahead, demo_ahead, fill

    from geowarn.bootstrap import open_system

    note = folder / "clock"
    if not note.is_file():
        shutil.rmtree(folder, ignore_errors=True)
        system, clock = demo_ahead(folder, 0)
        with bar(f"{count:,} bulletins are released and end") as tell:
            fill(system, clock, count, tell)
        system.store.dispose()
        note.write_text(clock.moment.isoformat())
    clock = Ahead(datetime.fromisoformat(note.read_text()))
    return replace(open_system(folder), clock=clock), clock


class Meter:
    """Counts what the calls between do, in the very functions of the program that do it."""

    def __init__(self, system: System) -> None:
        from sqlalchemy import event

        from geowarn.store.repositories.base import Repository
        from geowarn_channels import files, tree_record

        self.counts: Counter[str] = Counter()
        self.found: Measured = {}
        event.listen(system.store.engine, "before_cursor_execute", lambda *_: self._add("statements"))
        self._wrap(Repository, "_rows", "rows", len)
        self._wrap(Repository, "_row", "rows", lambda row: row is not None)
        self._wrap(tree_record, "_stat", "looked at")
        self._wrap(files, "holds", "read")
        self._wrap(files, "_put_beside", "written")
        self._wrap(type(system.templates), "render", "drawn")

    def _add(self, what: str, number: int = 1) -> None:
        self.counts[what] += number

    def _wrap(self, where: Any, name: str, what: str, size: Callable[[Any], int] = lambda _: 1) -> None:
        act = getattr(where, name)

        def counted(*given: Any, **named: Any) -> Any:
            answer = act(*given, **named)
            self._add(what, int(size(answer)))
            return answer

        setattr(where, name, counted)

    def __call__(self, act: str, work: Callable[[], Any]) -> Any:
        """Do it once, under this name."""
        self.counts.clear()
        began = time.perf_counter()
        answer = work()
        self.found[act] = {"seconds": time.perf_counter() - began, **self.counts}
        return answer


def measure(folder: str, count: str) -> None:
    """Every act in one store; prints what each cost as JSON."""
    from archived import prepared

    from geowarn.demo.play import officer_releases
    from geowarn.pipeline.proof import verify
    from geowarn.pipeline.search_index import NEW, catch_up

    system, clock = opened(Path(folder), int(count))
    meter = Meter(system)
    website: Any = system.channels["website"]
    shutil.rmtree(system.public_dir, ignore_errors=True)
    with bar(f"{count} bulletins: the tree from nothing") as tell:
        meter("the tree from nothing", lambda: website.rebuild(tell))
    with bar(f"{count} bulletins: the tree again") as tell:
        meter("the tree drawn and compared again", lambda: website.rebuild(tell))
    catch_up(system.search_sources)
    warning = prepared(system, clock)
    system.site_state()  # a server has read the archive long before
    bulletin = meter("the releasing transaction", lambda: officer_releases(system, warning))
    meter("the site shows it", lambda: website.send(*delivery(system, bulletin)))
    meter("the stations show it", lambda: system.channels["broadcast"].publish(system.site_state()))  # type: ignore[attr-defined]
    meter("the rest of it", lambda: website.publish(system.site_state()))
    clock.moment += timedelta(minutes=1)
    meter("a minute that passes", lambda: website.publish(system.site_state()))
    meter("what is new is found", lambda: catch_up(system.search_sources, NEW))
    meter("what time brings about", lambda: end_validity(system.desk))
    get = console(system)
    for path in ("/console/", "/console/warnings", "/console/ledger", "/search?q=栖霞", "/archive/", "/metrics"):
        meter(path, lambda path=path: get(path))
    meter("a first state, after a start", lambda: replace(system).site_state())
    meter("ledger verify", lambda: verify(system.store))
    system.store.dispose()
    print(json.dumps(meter.found), flush=True)


def delivery(system: System, bulletin: Bulletin) -> tuple[Delivery, Target]:
    with system.store.read() as work:
        artefacts = work.bulletins.artefacts(bulletin.id)
    own = {path: body for path, body in artefacts.items() if path.startswith("website/")}
    later = system.clock.now() + timedelta(hours=1)
    return Delivery(bulletin, own, "public"), Target("d-bench", "public", "public", later)


def console(system: System) -> Callable[[str], None]:
    """Reads pages as the officer on duty, in this process."""
    from starlette.testclient import TestClient

    from geowarn.web.app import create_app

    client = TestClient(create_app(system))
    form = {"name": "duty", "password": password_of("duty")}
    answer = client.post("/console/login", data=form, headers={"Origin": "http://testserver"})
    assert answer.status_code == 200, answer.text

    def get(path: str) -> None:
        answer = client.get(path)
        assert answer.status_code == 200, (path, answer.text)

    return get


if __name__ == "__main__":
    measure(*sys.argv[2:]) if sys.argv[1:2] == ["measure"] else main()
