"""The synthetic storm of the demo, as a real GRIB 2 file, and the synthetic rain of the days before it.

Shape and figures are data: `config/demo/demo_storm.json` (sum of elliptic Gaussian cells, two bursts) and
`config/demo/antecedent.csv`. Both outputs are labelled synthetic: the GRIB by production status "test", the CSV by
its first line.
"""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geowarn.domain.errors import Refused
from geowarn.domain.period import to_utc
from geowarn.resources import config_dir

HOURS_BEFORE_WINDOW = 2  # storm hours 2 to 26 are the window of 24 h
_CHILD = Path(__file__).with_name("storm_child.py")
_CHILD_SECONDS = 120

Field = NDArray[np.float64]


def storm_definition() -> dict[str, Any]:
    """The shipped storm with its label, grid and bursts."""
    found: dict[str, Any] = json.loads((config_dir() / "demo" / "demo_storm.json").read_text("utf-8"))
    return found


def storm_run_time(window_start: datetime) -> datetime:
    """The run the storm is a forecast of: it begins with storm hour 0."""
    return to_utc(window_start) - timedelta(hours=HOURS_BEFORE_WINDOW)


def hourly_rain(storm: Mapping[str, Any]) -> Field:
    """Rain in mm per hour of the storm, shape (hours, ny, nx), rows from the south."""
    grid = storm["grid"]
    lon, lat = (_axis(grid, name) for name in ("lon", "lat"))
    x, y = np.meshgrid(lon, lat)
    rain = np.zeros((storm["hours"], lat.size, lon.size))
    for burst in storm["bursts"]:
        total = burst["base_mm"] + sum(_cell(cell, x, y) for cell in burst["cells"])
        weights = np.sin(np.pi * (np.arange(burst["hours"]) + 0.5) / burst["hours"]) ** 2
        first = burst["start_hour"]
        rain[first : first + burst["hours"]] += total * (weights / weights.sum())[:, None, None]
    return rain


def _axis(grid: Mapping[str, float], name: str) -> Field:
    count = round((grid[f"{name}1"] - grid[f"{name}0"]) / grid["step_deg"]) + 1
    return np.asarray(grid[f"{name}0"] + grid["step_deg"] * np.arange(count), dtype=np.float64)


def _cell(cell: Mapping[str, float], x: Field, y: Field) -> Field:
    angle = np.radians(cell["theta_deg"])
    east, north = (x - cell["lon"]) * 0.799, y - cell["lat"]  # 0.799: cosine of the storm's latitude
    along = np.cos(angle) * east + np.sin(angle) * north
    across = -np.sin(angle) * east + np.cos(angle) * north
    shape = (along / cell["sx_deg"]) ** 2 + (across / cell["sy_deg"]) ** 2
    return np.asarray(cell["A_mm"] * np.exp(-0.5 * shape), dtype=np.float64)


def write_storm_grib(path: Path, window_start: datetime) -> None:
    """Write the storm as totals from the run's start, one message an hour, packed to 0.0001 mm.

    Raises Refused when eccodes is not installed.
    """
    storm, start = storm_definition(), storm_run_time(window_start)
    if start.minute or start.second or start.microsecond:
        raise ValueError(f"the window starts at {window_start.isoformat()}, not on a full hour")
    grid = storm["grid"]
    rain = hourly_rain(storm)
    with TemporaryDirectory(prefix="geowarn-storm-") as folder:
        np.save(Path(folder) / "totals.npy", np.cumsum(rain, axis=0).reshape(len(rain), -1))
        facts = {
            "run": [start.year, start.month, start.day, start.hour],
            "nx": rain.shape[2],
            "ny": rain.shape[1],
            "micro": [round(grid[key] * 1e6) for key in ("lon0", "lat0", "lon1", "lat1", "step_deg")],
        }
        (Path(folder) / "facts.json").write_text(json.dumps(facts), "utf-8")
        _encode(Path(folder), path)


def _encode(folder: Path, path: Path) -> None:
    command = [sys.executable, "-P", "-B", str(_CHILD), str(folder), str(path)]
    done = subprocess.run(command, capture_output=True, timeout=_CHILD_SECONDS, check=False)  # noqa: S603
    if done.returncode == 3:
        raise Refused("sources.grib-not-installed", file=path.name)
    if done.returncode != 0:
        raise RuntimeError(f"the storm could not be encoded: {done.stderr.decode('utf-8', 'replace')[-400:]}")


def write_antecedent_csv(path: Path, window_start: datetime, area_codes: Iterable[str]) -> None:
    """Write observed daily totals of the days before the window, newest day first, labelled synthetic."""
    days = _antecedent_days()
    end = to_utc(window_start)
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(f"# synthetic: {storm_definition()['label_zh']}\n")
        file.write("# source: 合成演示前期降雨 (synthetic antecedent rain)\n")
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(("area", "start", "end", "mm", "kind"))
        for code in area_codes:
            for ago, mm in enumerate(days[_entry_of(code, days)]):
                day = end - timedelta(days=ago)
                rows.writerow((code, (day - timedelta(days=1)).isoformat(), day.isoformat(), mm, "observed"))


def _antecedent_days() -> dict[str, tuple[str, ...]]:
    """Daily figures in mm, newest first, by code, beginning of a code, or `*`."""
    text = (config_dir() / "demo" / "antecedent.csv").read_text("utf-8")
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    return {row["area"]: tuple(row[key] for key in row if key.startswith("day_")) for row in rows}


def _entry_of(code: str, days: Mapping[str, object]) -> str:
    return max((entry for entry in days if code.startswith(entry)), key=len, default="*")
