"""The synthetic storm: a real GRIB 2 file that says it is synthetic, and rains what was published for it."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import shapely
from numpy.typing import NDArray
from shapely.geometry import shape

from geowarn.demo.storm import hourly_rain, storm_definition, write_antecedent_csv, write_storm_grib
from geowarn.domain.period import Period
from geowarn.domain.rain import Grid, Payload, RainKind, Reading
from geowarn.resources import config_dir
from geowarn.sources.grib import GribReader
from geowarn.sources.rain_csv import RainCsvReader

WINDOW = Period.ending(datetime(2026, 7, 23, 18, tzinfo=UTC), 24)
# County means in mm of the 31 hours, from the table of published and synthetic totals that the storm was fitted with.
TOTALS = {"370687": 248.6, "370682": 204.0, "370686": 125.3, "370685": 128.7, "370683": 100.6, "370612": 74.2}
# Rain of the window reached on a tenth of the county, and the antecedent part of the effective rain (0.79 a day).
WINDOW_MM = {"370687": 307.38, "370682": 200.87, "370686": 128.59, "370685": 117.62, "370683": 109.72, "370612": 111.23}
ANTECEDENT = {"370687": 17.96, "370682": 23.98, "370686": 11.98, "370685": 9.77, "370683": 6.32, "370612": 7.86}


@pytest.fixture(scope="module")
def storm(tmp_path_factory: pytest.TempPathFactory) -> Reading:
    path = tmp_path_factory.mktemp("storm") / "synthetic-storm.grib2"
    write_storm_grib(path, WINDOW.start)
    return GribReader().read([Payload(path, path.name)])[0]


def coverage(code: str, grid: Grid) -> NDArray[np.float64]:
    """Share of each cell that lies in the county."""
    for path in (config_dir() / "areas").rglob("areas.geojson"):
        for feature in json.loads(path.read_text("utf-8"))["features"]:
            if code in feature["properties"].values():
                x, y = np.meshgrid(
                    grid.lon0 + grid.dlon * np.arange(grid.nx), grid.lat0 + grid.dlat * np.arange(grid.ny)
                )
                half = grid.dlon / 2
                cells = shapely.box(x - half, y - half, x + half, y + half)
                parts = shapely.intersection(cells, shape(feature["geometry"]))
                return np.asarray(shapely.area(parts).ravel() / grid.dlon**2)
    pytest.fail(f"no county {code}")


def test_hours_run_from_two_before_the_window_and_say_synthetic(storm: Reading) -> None:
    assert storm.synthetic
    assert storm.source == "synthetic-storm"
    assert storm.run_time == WINDOW.start - timedelta(hours=2)
    assert len(storm.fields) == 31
    for hour, field in enumerate(storm.fields):
        assert field.period == Period.ending(storm.run_time + timedelta(hours=hour + 1), 1)
        assert field.kind is RainKind.FORECAST
    assert sum(WINDOW.contains(field.period) for field in storm.fields) == 24


def test_packing_keeps_a_hundredth_of_a_millimetre(storm: Reading) -> None:
    wanted = hourly_rain(storm_definition()).reshape(31, -1)
    for field, hour in zip(storm.fields, wanted, strict=True):
        assert np.abs(np.asarray(field.values) - hour).max() <= 0.01


@pytest.mark.parametrize("code", TOTALS)
def test_counties_get_what_was_published(storm: Reading, code: str) -> None:
    grid = storm.fields[0].support
    assert isinstance(grid, Grid)
    share = coverage(code, grid)
    total = np.sum([field.values for field in storm.fields], axis=0)
    assert float((share * total).sum() / share.sum()) == pytest.approx(TOTALS[code], rel=0.05)

    window = np.sum([field.values for field in storm.fields if WINDOW.contains(field.period)], axis=0)
    inside = np.flatnonzero(share >= 0.1)
    order = inside[np.argsort(window[inside])]
    reached = np.cumsum(share[order]) >= 0.9 * share[inside].sum()
    assert window[order][reached.argmax()] == pytest.approx(WINDOW_MM[code], abs=0.01)


def test_the_days_before_fit_the_window(tmp_path: Path) -> None:
    path = tmp_path / "antecedent.csv"
    write_antecedent_csv(path, WINDOW.start, [*ANTECEDENT, "370687001", "370602"])
    reading = RainCsvReader().read([Payload(path, path.name)])[0]
    assert reading.synthetic
    assert path.read_text("utf-8").startswith("# synthetic: 合成演示降雨（非真实预报）\n")
    assert [field.period for field in reading.fields] == [
        Period.ending(WINDOW.start - timedelta(days=ago), 24) for ago in (2, 1, 0)
    ]
    sums = dict.fromkeys((*ANTECEDENT, "370687001"), 0.0)
    for ago, field in enumerate(reversed(reading.fields), start=1):
        assert field.kind is RainKind.OBSERVED
        for code, mm in zip(field.support.codes, field.values, strict=True):  # type: ignore[union-attr]
            sums[code] = sums.get(code, 0.0) + 0.79**ago * mm
    for code, mm in ANTECEDENT.items():
        assert sums[code] == pytest.approx(mm, abs=0.01)
    assert sums["370687001"] == sums["370687"]
    assert 0 < sums["370602"] < 3


def test_the_shipped_figures_are_labelled() -> None:
    text = (config_dir() / "demo" / "antecedent.csv").read_text("utf-8")
    assert "SYNTHETIC" in text.splitlines()[0]
    assert storm_definition()["synthetic"] is True
    rows = list(csv.DictReader(line for line in text.splitlines() if not line.startswith("#")))
    assert rows[-1]["area"] == "*"


def test_a_window_that_starts_within_an_hour_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="full hour"):
        write_storm_grib(tmp_path / "x", WINDOW.start + timedelta(minutes=5))
