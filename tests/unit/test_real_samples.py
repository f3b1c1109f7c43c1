"""Public files of five issuing centres: our values are those that eccodes gives directly, cell by cell."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from geowarn.domain.errors import Refused
from geowarn.domain.rain import CurvedGrid, Grid, Payload, RainField, RainKind, Reading
from geowarn.sources.grib import GribReader

DATA = Path(__file__).parents[1] / "data"
Numbers = NDArray[np.float64]


def read(name: str) -> Reading:
    return GribReader().read([Payload(DATA / "forecasts" / name, name)])[0]


def eccodes_says(name: str, folder: Path) -> Mapping[str, Numbers]:
    out = folder / "said.npz"
    command = [sys.executable, "-P", str(DATA / "read_grib.py"), str(DATA / "forecasts" / name), str(out)]
    subprocess.run(command, check=True, timeout=120, capture_output=True)
    return dict(np.load(out))


def same(field: RainField, said: Mapping[str, Numbers], at: int, factor: float = 1.0) -> None:
    """Every value, and every cell where eccodes has it."""
    expected = said[f"values-{at}"] * factor
    assert np.allclose(np.asarray(field.values), expected, rtol=2e-7, atol=1e-12, equal_nan=True)
    grid = field.support
    if isinstance(grid, CurvedGrid):
        lon, lat = np.asarray(grid.lon), np.asarray(grid.lat)
    else:
        assert isinstance(grid, Grid)
        lon = np.tile(grid.lon0 + np.arange(grid.nx) * grid.dlon, grid.ny)
        lat = np.repeat(grid.lat0 + np.arange(grid.ny) * grid.dlat, grid.nx)
    assert np.allclose(lat, said[f"lat-{at}"], atol=1e-5)
    assert np.allclose((lon - said[f"lon-{at}"] + 180) % 360, 180, atol=1e-5)


def hours(field: RainField) -> tuple[float, float]:
    start, end = ((moment - field.run_time) / timedelta(hours=1) for moment in (field.period.start, field.period.end))
    return start, end


def test_grib_1_of_ecmwf_called_instant_is_the_total_from_the_start(tmp_path: Path) -> None:
    name = "ecmwf-5deg-2017101812-f012-tp.grib1"
    field = read(name).fields[0]
    assert field.run_time == datetime(2017, 10, 18, 12, tzinfo=UTC)
    assert hours(field) == (0, 12)
    same(field, eccodes_says(name, tmp_path), 0, 1000.0)


def test_a_lambert_grid_of_noaa_keeps_its_own_coordinates(tmp_path: Path) -> None:
    name = "noaa-eta-lambert-2004120812-f024-tp.grib2"
    field = read(name).fields[0]
    assert isinstance(field.support, CurvedGrid)
    assert (field.support.nx, field.support.ny, hours(field)) == (93, 65, (12, 24))
    same(field, eccodes_says(name, tmp_path), 0)


def test_bug_5_a_gaussian_grid_with_a_mean_rate_becomes_the_total_of_its_bucket(tmp_path: Path) -> None:
    name = "noaa-gaussian-2004022900-f120-prate.grib2"
    field = read(name).fields[0]
    assert isinstance(field.support, CurvedGrid)
    assert hours(field) == (108, 120)
    same(field, eccodes_says(name, tmp_path), 0, 12 * 3600.0)


def test_a_rate_and_a_total_of_noaa_agree_and_count_once(tmp_path: Path) -> None:
    name = "gfs-2p5deg-2011100800-f072-rain.grib2"
    reading = read(name)
    assert [hours(field) for field in reading.fields] == [(66, 72)]
    assert max(reading.fields[0].values) == pytest.approx(89.8)
    same(reading.fields[0], eccodes_says(name, tmp_path), 1)


def test_a_polar_analysis_of_canada_with_a_negative_length_is_observed_rain(tmp_path: Path) -> None:
    name = "cmc-rdpa-polar-2023121806-24h.grib2"
    field = read(name).fields[0]
    assert isinstance(field.support, CurvedGrid)
    assert (hours(field), field.kind) == ((-24, 0), RainKind.OBSERVED)
    assert np.isnan(np.asarray(field.values)).sum() == 20283
    same(field, eccodes_says(name, tmp_path), 0)


def test_one_message_of_many_fields_of_japan_is_read_field_by_field(tmp_path: Path) -> None:
    name = "jma-msm-guidance-2019030400-multifield.grib2"
    reading = read(name)
    assert [hours(field) for field in reading.fields] == [(0, 3), (3, 6), (6, 9)]
    said = eccodes_says(name, tmp_path)
    for at, field in enumerate(reading.fields):
        same(field, said, at)


def test_bug_3_negative_rain_of_a_real_file_is_refused() -> None:
    with pytest.raises(Refused, match=r"sources\.grib-negative") as caught:
        read("noaa-ngm-polar-2004120900-f048-negative.grib2")
    assert (caught.value.facts["message"], caught.value.facts["value"]) == ("#3", "-0.3")


def test_an_icosahedral_grid_without_coordinates_is_refused_by_name() -> None:
    with pytest.raises(Refused, match=r"sources\.grib-grid") as caught:
        read("dwd-icon-icosahedral-2021112018-tp.grib2")
    assert caught.value.facts["grid"] == "unstructured_grid"


def test_every_sample_is_listed_with_its_digest() -> None:
    listed = (DATA / "forecasts" / "SOURCES.md").read_text("utf-8")
    for path in sorted((DATA / "forecasts").iterdir()):
        if path.name != "SOURCES.md":
            line = next(line for line in listed.splitlines() if f"`{path.name}`" in line)
            assert hashlib.sha256(path.read_bytes()).hexdigest() in line
    assert not set(re.findall(r"`([\w.-]+\.(?:grib\d|nc4?|json))`", listed)) - {
        path.name for path in (DATA / "forecasts").iterdir()
    }
