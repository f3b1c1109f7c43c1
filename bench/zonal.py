"""Zonal statistics and levels against one read of the grid, exactextract, rasterstats and the decoder: `make bench`.

Every part runs in a process of its own and all in one run; times are medians, memory is the most that one process and
its decoding child held at one moment.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import parts
import scene
from rich.console import Console
from rich.table import Table

HERE = Path(__file__).parent
OTHERS = HERE.parent / "build" / "bench" / "bin" / "python"
PARTS = {part.__name__: part for part in (parts.weights, parts.stack, parts.line, parts.memory)}
LINES = (24, scene.STEPS, 2 * scene.STEPS)  # steps of the runs that go from file to levels
Answer = dict[str, Any]


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
    for steps in LINES:
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
            *((f"line {steps}", partial(part, folder, "line", str(steps))) for steps in LINES),
            ("others", lambda: others(folder)),
        ):
            console.print(f"{time.strftime('%H:%M:%S')} {title}")
            found[title] = work()
            plain = {name: one for name, one in (found[title] or {}).items() if not isinstance(one, list)}
            console.print_json(data=plain, indent=None)
    report(found)


def report(found: Answer) -> None:
    whole, after = found[f"line {scene.STEPS}"], found["memory"]
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
    for steps in LINES:
        one = found[f"line {steps}"]
        memory_of = f"{one['peak']:.0f} MB ({one['own']:.0f} in this process, {one['before']:.0f} between runs)"
        table.add_row(f"most memory with the decoding child, {steps} steps", "", memory_of, "<= 300 MB")
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
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [text.split(":")[1].strip() for text in lines if text.startswith("model name")]
    beside = f", exactextract {other['exactextract']}, rasterstats {other['rasterstats']}" if other else ""
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
