"""Damages good files by the thousand and hands them to every reader: `python -m tests.fuzz.run --cases N --seed S`.

A case may be refused or, where the damage did no harm, taken in whole. Everything else is a finding: an exception, a
case over its time, memory over the process's limit, a forecast half imported. Each finding prints what repeats it;
lines of `seeds.txt` (reader, sample, seed) are tried first, every time.
"""

from __future__ import annotations

import argparse
import resource
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import entry_points
from pathlib import Path
from types import FrameType

import numpy as np
from rich.console import Console
from rich.progress import Progress
from tests.fuzz.corpus import samples
from tests.fuzz.mutations import damaged

from geowarn.domain.area import Area, AreaKind
from geowarn.domain.errors import Refused
from geowarn.domain.rain import Forecast
from geowarn.pipeline.ingest import ingest, reading_of
from geowarn.ports import Reader
from geowarn.store.unit_of_work import SqlStore

SECONDS_A_CASE = 60
MEMORY = 3 << 30  # bytes of address space of this process; the decoders' children have limits of their own
SEEDS = Path(__file__).with_name("seeds.txt")
SHARES = {"grib": 2, "netcdf": 2}  # a decoder's child takes a third of a second; text readers get the rest
NOW = datetime(2026, 7, 23, 4, 0, tzinfo=UTC)


class StillClock:
    """Always the same moment."""

    def now(self) -> datetime:
        return NOW


class TooLong(Exception):
    """A case took longer than it may."""


@dataclass(frozen=True)
class Case:
    """One damaged file, repeatable from these three."""

    reader: str
    sample: int
    seed: int


@dataclass
class Bench:
    """Readers, a store that is new whenever something was taken in, and the good files."""

    folder: Path
    readers: dict[str, Reader]
    store: SqlStore = field(init=False)
    corpus: dict[str, list[bytes]] = field(init=False)
    counts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.corpus = {name: samples(name) for name in self.readers}
        self.renew()

    def renew(self) -> None:
        """An empty store with the areas that the good files name."""
        self.store = SqlStore.in_memory()
        with self.store.begin() as work:
            work.areas.save_all(Area(code, AreaKind.COUNTY, code, code) for code in ("370682", "370687"))
            work.commit()

    def try_case(self, case: Case) -> str | None:
        """What is wrong, or None."""
        own = self.corpus[case.reader][case.sample]
        others = [data for name, files in self.corpus.items() if name != case.reader for data in files]
        kind, data = damaged(case.seed, own, others)
        file = self.folder / "damaged"
        file.write_bytes(data)
        try:
            made = ingest(
                self.store, StillClock(), self.readers, self.folder / "raw", case.reader, [file],
                source=None, synthetic_installation=False, actor_text="fuzz",
            )  # fmt: skip
        except Refused:
            self.counts[f"{case.reader} refused"] += 1
            return self._traces(kind)
        self.counts[f"{case.reader} taken in"] += 1
        faults = [fault for forecast in made if (fault := self._fault_of(forecast))]
        self._clear()
        return f"{kind}: {faults[0]}" if faults else None

    def _traces(self, kind: str) -> str | None:
        with self.store.read() as work:
            rows, entries = len(work.forecasts.latest()), len(work.ledger.entries())
        kept = [path.name for path in (self.folder / "raw").iterdir()]
        return f"{kind}: refused, but {rows} rows, {entries} entries, files {kept}" if rows or entries or kept else None

    def _fault_of(self, forecast: Forecast) -> str | None:
        try:
            reading = reading_of(forecast, self.readers, self.folder / "raw")
        except Refused as refusal:
            return f"taken in, then {refusal}"
        for rain in reading.fields:
            values = np.asarray(rain.values, dtype=np.float64)
            known = values[~np.isnan(values)]
            if values.size != rain.support.size or np.isinf(known).any() or (known < 0).any() or (known > 5000).any():
                return f"values that cannot be rain in {rain.period}"
        return None

    def _clear(self) -> None:
        for path in (self.folder / "raw").iterdir():
            path.unlink()
        self.renew()


def cases(bench: Bench, count: int, seed: int) -> Iterator[Case]:
    """The kept seeds, then `count` new cases spread over the readers."""
    for line in SEEDS.read_text("utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            kept, sample, once = line.split()[:3]
            if kept in bench.corpus and int(sample) < len(bench.corpus[kept]):
                yield Case(kept, int(sample), int(once))
    names = [name for name, files in sorted(bench.corpus.items()) if files]
    turns = [name for name in names for _ in range(SHARES.get(name, 8))]
    for number in range(seed, seed + count):
        name = turns[number % len(turns)]
        yield Case(name, number // len(turns) % len(bench.corpus[name]), number)


def _ring(_signal: int, _frame: FrameType | None) -> None:
    raise TooLong


def checked(bench: Bench, case: Case) -> str | None:
    """The finding of one case, an exception or too long a time included."""
    signal.setitimer(signal.ITIMER_REAL, SECONDS_A_CASE)
    try:
        return bench.try_case(case)
    except TooLong:
        return f"took longer than {SECONDS_A_CASE} s"
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def main() -> int:
    """Run; the exit code says whether anything was found."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--cases", type=int, default=10_000)
    asked.add_argument("--seed", type=int, default=0)
    chosen = asked.parse_args()
    signal.signal(signal.SIGALRM, _ring)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    console, findings, tried = Console(stderr=True), 0, 0
    with tempfile.TemporaryDirectory(prefix="geowarn-fuzz-") as folder, Progress(console=console) as progress:
        readers = {point.name: point.load()() for point in entry_points(group="geowarn.sources")}
        bench = Bench(Path(folder), readers)
        bar = progress.add_task("damaged files", total=chosen.cases)
        for case in cases(bench, chosen.cases, chosen.seed):
            finding = checked(bench, case)
            tried += 1
            progress.advance(bar)
            if finding:
                findings += 1
                print(f"{case.reader} {case.sample} {case.seed}  # {finding}", flush=True)
                bench._clear()
    for name, number in sorted(bench.counts.items()):
        print(f"{name}: {number}")
    print(f"{tried} cases, {findings} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
