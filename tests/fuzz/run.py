"""Damages good files by the thousand and hands them to every reader: `python -m tests.fuzz.run --cases N --seed S`.

A case may be refused or, where the damage did no harm, taken in whole. Everything else is a finding: an exception, a
case over its time, memory over the process's limit, a forecast half imported, a level. Each finding prints what repeats
it; lines of `seeds.txt` (reader, sample, seed) are tried first, every time.
"""

from __future__ import annotations

import argparse
import resource
import signal
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from types import FrameType

from rich.console import Console
from rich.progress import Progress
from tests.fuzz.bench import Bench, Case

SECONDS_A_CASE = 60  # of processor time, children counted in
MOST_SECONDS = 900  # by the clock, on a busy machine too: longer than a decoder's own limit
MEMORY = 3 << 30  # bytes of address space of this process; the decoders' children have limits of their own
SEEDS = Path(__file__).with_name("seeds.txt")
SHARES = {"grib": 2, "netcdf": 2}  # a decoder's child takes a third of a second; text readers get the rest
TOLD_EVERY = 500  # cases between two lines where no progress bar can be drawn


class TooLong(Exception):
    """A case took longer than it may."""


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


def _processor_seconds() -> float:
    """Of this process and of its children that have ended."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


def checked(bench: Bench, case: Case) -> str | None:
    """The finding of one case, an exception or too long a time included."""
    signal.setitimer(signal.ITIMER_REAL, MOST_SECONDS)
    before = _processor_seconds()
    try:
        finding = bench.try_case(case)
        spent = _processor_seconds() - before
        return finding or (f"took {spent:.0f} s of processor time" if spent > SECONDS_A_CASE else None)
    except TooLong:
        return f"did not end in {MOST_SECONDS} s"
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
        bench = Bench(Path(folder), {point.name: point.load()() for point in entry_points(group="geowarn.sources")})
        bar = progress.add_task("damaged files", total=chosen.cases)
        for case in cases(bench, chosen.cases, chosen.seed):
            finding = checked(bench, case)
            tried += 1
            progress.advance(bar)
            if not console.is_terminal and tried % TOLD_EVERY == 0:
                print(f"{tried} cases, {findings} findings so far", flush=True)
            if finding:
                findings += 1
                print(f"{case.reader} {case.sample} {case.seed}  # {finding}", flush=True)
                bench.clear()
    for name, number in sorted(bench.counts.items()):
        print(f"{name}: {number}")
    print(f"{tried} cases, {findings} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
