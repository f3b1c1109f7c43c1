"""Zonal statistics and levels against one read of the grid, exactextract, rasterstats and the decoder: `make bench`.

Every part runs in a process of its own and all in one run; times are medians, memory is the most that this process and
its decoding child held at one moment. Nothing here is faster than the product: the very calls of `geowarn` are timed.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import scene
from rich.console import Console
from rich.table import Table
from rss import Watch

from geowarn.domain.area import Area
from geowarn.domain.period import Period
from geowarn.domain.rain import Forecast, Payload, RainField, RainKind, Reading
from geowarn.hazard.effrain_matrix import EffrainMatrix
from geowarn.hazard.places import Places
from geowarn.hazard.places import statistics as of_polygons
from geowarn.hazard.zonal import footprints
from geowarn.pipeline.rules import load_rules
from geowarn.ports import Rain
from geowarn.resources import config_dir
from geowarn.sources.grib import GribReader

HERE = Path(__file__).parent
OTHERS = HERE.parent / "build" / "bench" / "bin" / "python"
RULES = load_rules(config_dir() / "rules" / "effrain-matrix.toml")
COVERAGE = float(RULES.parameters["min_coverage"])
TIMES = 5
Answer = dict[str, Any]


def median_ms(work: Callable[[], Any], times: int = TIMES) -> float:
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        taken.append(1000 * (time.perf_counter() - start))
    return statistics.median(taken)


def read(folder: Path, steps: int) -> Reading:
    (reading,) = GribReader().read([Payload(folder / f"rain-{steps}.grib2", f"rain-{steps}.grib2")])
    return reading


def rain_of(fields: tuple[RainField, ...]) -> Rain:
    run, last = fields[0].period.start, fields[-1].period.end
    coverage, kinds = Period(run, last), frozenset({RainKind.FORECAST})
    return Rain(
        Forecast("f1", "grib", "bench", "f", "0" * 64, run, run, coverage, len(fields), kinds, True), fields, ()
    )


def windows(fields: tuple[RainField, ...]) -> list[Period]:
    start, day = fields[0].period.start, timedelta(hours=24)
    return [Period(start + at * day, start + (at + 1) * day) for at in range(len(fields) // 24)]


def levels(model: EffrainMatrix, areas: tuple[Area, ...], fields: tuple[RainField, ...], cache: Path) -> list[Any]:
    found = model.levels(areas, rain_of(fields), windows(fields), RULES, cache)
    assert all(one is not None for one in found)
    return found


# --- the parts, each in a process of its own --------------------------------------------------------------------------


def weights(folder: Path, _: str) -> Answer:
    areas = scene.areas()
    built = median_ms(lambda: footprints(scene.GRID, areas, COVERAGE, folder / "cache"), 1)
    again = median_ms(lambda: footprints(scene.GRID, areas, COVERAGE, folder / "cache"), 1)
    zones = footprints(scene.GRID, areas, COVERAGE, folder / "cache")
    (kept,) = (folder / "cache").iterdir()
    polygons = [{"type": "Feature", "properties": {}, "geometry": dict(a.geometry)} for a in areas if a.geometry]
    (folder / "polygons.json").write_text(json.dumps(polygons))
    size = kept.stat().st_size / 2**20
    return {"built": built, "kept": again, "pairs": zones.cells.size - scene.POINTS, "file": size}


def stack(folder: Path, _: str) -> Answer:
    fields = read(folder, scene.STEPS).fields
    kept = np.lib.format.open_memmap(folder / "stack.npy", "w+", np.float32, (len(fields), scene.GRID.size))
    for at, field in enumerate(fields):
        kept[at] = np.asarray(field.values)
    kept.flush()
    return {"bytes": kept.nbytes, "over_50": float((kept[:24].sum(axis=0) >= 50).mean())}


def line(folder: Path, steps: str) -> Answer:
    """From the file to levels, with areas and weights at hand."""
    areas, model, cache = scene.areas(), EffrainMatrix(), folder / "cache"
    levels(model, areas, read(folder, int(steps)).fields, cache)
    decode, whole, reads = [], [], 3
    with Watch() as watch:
        before = watch_now()
        for _ in range(reads):
            start = time.perf_counter()
            reading = read(folder, int(steps))
            decoded = time.perf_counter()
            levels(model, areas, reading.fields, cache)
            decode.append(decoded - start)
            whole.append(time.perf_counter() - start)
            del reading
    ratio = statistics.median(w / d for w, d in zip(whole, decode, strict=True))
    facts = {"decode": 1000 * statistics.median(decode), "whole": 1000 * statistics.median(whole), "ratio": ratio}
    return facts | {"peak": watch.peak, "own": watch.own, "before": before}


def watch_now() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def memory(folder: Path, _: str) -> Answer:
    """Everything after decoding, on a run that stands in memory."""
    values, areas, cache = np.load(folder / "stack.npy"), scene.areas(), folder / "cache"
    start, hour = read(folder, 24).fields[0].period.start, timedelta(hours=1)
    hours = [Period(start + at * hour, start + (at + 1) * hour) for at in range(len(values))]
    fields = tuple(
        RainField(one, scene.GRID, values[at], RainKind.FORECAST, "bench", start)  # type: ignore[arg-type]
        for at, one in enumerate(hours)
    )
    model = EffrainMatrix()
    found = levels(model, areas, fields, cache)
    places = Places(areas, COVERAGE, cache)
    index = places.index(scene.GRID)

    def steps() -> None:
        for field in fields:
            at_cells = index.at_cells(np.asarray(field.values))
            of_polygons(index, at_cells[: index.cells.size])

    one_read, products, per_step, ratios, step_ratios = [], [], [], [], []
    for _ in range(TIMES):
        one_read.append(median_ms(lambda: values.max(), 3))
        products.append(median_ms(lambda: levels(model, areas, fields, cache), 3))
        ratios.append(products[-1] / one_read[-1])
        per_step.append(median_ms(steps, 1))
        step_ratios.append(per_step[-1] / one_read[-1])
    assessed = time.perf_counter()
    chosen = model.assess(areas, rain_of(fields), windows(fields)[0], RULES, cache)
    evidence = time.perf_counter()
    for one in chosen[:500]:
        dict(one.evidence)
    told = time.perf_counter()
    mm = values[:24].sum(axis=0, dtype=np.float64)[index.cells]
    return {
        "read": statistics.median(one_read),
        "windows": statistics.median(products),
        "windows_ratio": statistics.median(ratios),
        "steps": statistics.median(per_step),
        "steps_ratio": statistics.median(step_ratios),
        "assess": 1000 * (evidence - assessed),
        "evidence": 1000 * (told - evidence),
        "levels": np.bincount(np.maximum(found[0].level, 0), minlength=5).tolist(),
        "max": of_polygons(index, mm)[0].tolist(),
    }


PARTS: Mapping[str, Callable[[Path, str], Answer]] = {
    part.__name__: part for part in (weights, stack, line, memory)
}  # fmt: skip


# --- one run ----------------------------------------------------------------------------------------------------------


def part(folder: Path, name: str, argument: str = "") -> Answer:
    command = [sys.executable, str(Path(__file__)), name, str(folder), argument]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True, env=environment())
    answer: Answer = json.loads(done.stdout)
    return answer


def environment() -> dict[str, str]:
    """Ours without what would choose numpy's routines for it."""
    return {key: value for key, value in os.environ.items() if key != "OPENBLAS_CORETYPE"}


def others(folder: Path) -> Answer | None:
    if not OTHERS.exists():
        return None
    done = subprocess.run(
        [str(OTHERS), str(HERE / "others.py"), str(folder)], stdout=subprocess.PIPE, check=True, text=True
    )
    answer: Answer = json.loads(done.stdout)
    return answer


def prepare(folder: Path) -> None:
    grid = scene.GRID
    facts = {"west": grid.lon0 - grid.dlon / 2, "north": grid.lat0 - grid.dlat / 2, "step": grid.dlon}
    (folder / "scene.json").write_text(json.dumps(facts | {"ny": grid.ny, "nx": grid.nx, "steps": scene.STEPS}))
    for steps in (24, scene.STEPS):
        out = str(folder / f"rain-{steps}.grib2")
        subprocess.run([sys.executable, str(HERE / "encode.py"), out, str(steps)], check=True, env=environment())


def main() -> None:
    console = Console(stderr=True)
    with tempfile.TemporaryDirectory(prefix="geowarn-bench-") as name:
        folder = Path(name)
        found: Answer = {}
        for title, work in (
            ("scene", lambda: prepare(folder)),
            ("weights", lambda: part(folder, "weights")),
            ("stack", lambda: part(folder, "stack")),
            ("memory", lambda: part(folder, "memory")),
            ("line 24", lambda: part(folder, "line", "24")),
            ("line 72", lambda: part(folder, "line", str(scene.STEPS))),
            ("others", lambda: others(folder)),
        ):
            console.print(f"{time.strftime('%H:%M:%S')} {title}")
            found[title] = work()
    report(found)


def report(found: Answer) -> None:
    whole, day, after = found["line 72"], found["line 24"], found["memory"]
    other, made = found["others"], found["weights"]
    per_window, per_step = f"{after['windows_ratio']:.1f} x read", f"{after['steps_ratio']:.1f} x read"
    rows = [
        ("one read of the run in memory", after["read"], f"{found['stack']['bytes'] / 1e6:.0f} MB", ""),
        ("three windows: levels, max and mean; levels at points", after["windows"], per_window, "<= 5"),
        ("72 steps: max and mean; values at points", after["steps"], per_step, "<= 25"),
        ("decode 72 CCSDS messages in the child", whole["decode"], "", ""),
        ("file to levels of three windows", whole["whole"], f"{whole['ratio']:.2f} x decode", "<= 1.2"),
        ("weights, built", made["built"], f"{made['pairs']} pairs", "<= 10 s"),
        ("weights, found by digest", made["kept"], f"{made['file']:.1f} MiB file", ""),
        ("assess one window, evidence untouched", after["assess"], "", ""),
        ("evidence of the first 500 areas", after["evidence"], "", ""),
    ]
    if other:
        rows += rivals(other, after)
    table = Table(title=machine(other))
    for column in ("what", "median ms", "ratio", "to reach"):
        table.add_column(column, justify="left" if column == "what" else "right")
    for what, milliseconds, ratio, goal in rows:
        table.add_row(what, f"{milliseconds:,.1f}", ratio, goal)
    for steps, one in (("24", day), ("72", whole)):
        memory_of = f"{one['peak']:.0f} MiB ({one['own']:.0f} in this process, {one['before']:.0f} before the run)"
        table.add_row(f"most memory with the decoding child, {steps} steps", "", memory_of, "<= 300")
    Console(width=140).print(table)
    print(f"areas and points by level in the first window, none to red: {after['levels']}; ", end="")
    print(f"{100 * found['stack']['over_50']:.1f} % of the cells reach 50 mm in it")


def rivals(other: Answer, after: Answer) -> list[tuple[str, float, str, str]]:
    of_windows, of_steps, step = (1000 * other[name] for name in ("exact_windows", "exact_steps", "raster_step"))
    apart = np.abs(np.array(other["exact_max"]) - np.array(after["max"]))
    print(f"greatest value of a polygon against exactextract: equal in {int((apart < 1e-4).sum())} of {apart.size}")
    few, slower = other["raster_polygons"], f"{step * scene.STEPS / after['steps']:.0f} x ours"
    return [
        (
            "exactextract, three windows: max and mean",
            of_windows,
            f"{of_windows / after['windows']:.0f} x ours",
            ">= 20",
        ),
        ("exactextract, 72 steps: max and mean", of_steps, f"{of_steps / after['steps']:.0f} x ours", ">= 20"),
        (f"rasterstats, 72 steps, extrapolated from one with {few} areas", step * scene.STEPS, slower, ""),
    ]


def machine(other: Answer | None) -> str:
    names = [
        text.split(":")[1].strip() for text in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in text
    ]
    rivals = f", exactextract {other['exactextract']}, rasterstats {other['rasterstats']}" if other else ""
    load = os.getloadavg()[0]
    return (
        f"{os.cpu_count()} cores {names[0] if names else platform.machine()}, load {load:.1f}, "
        f"Python {platform.python_version()}, numpy {np.__version__}{beside}"
    )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(PARTS[sys.argv[1]](Path(sys.argv[2]), sys.argv[3])))
    else:
        main()
