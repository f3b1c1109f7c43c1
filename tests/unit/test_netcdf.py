"""NetCDF 4 through h5py in its child process: CF time, packing, order, coordinates, limits, damage."""

from __future__ import annotations

import math
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import h5py  # type: ignore[import-untyped,unused-ignore]
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.data.make_netcdf import LAT, LON, UNITS, write

from geowarn.catalogue import explain
from geowarn.domain.errors import Refused
from geowarn.domain.period import Period
from geowarn.domain.rain import CurvedGrid, Grid, Payload, RainKind, Reading
from geowarn.sources.netcdf import NetcdfReader

DATA = Path(__file__).parents[1] / "data" / "forecasts"
IMERG = DATA / "imerg-v06-30min-subset-2020010112.nc4"
RUN = datetime(2026, 7, 22, 12, tzinfo=UTC)
HOURS = [[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], [[0.0, 0.5, 1.0], [1.5, 2.0, 2.5]]]


def read(*paths: Path) -> Reading:
    return NetcdfReader().read([Payload(path, path.name) for path in paths])[0]


def refused(path: Path, reader: NetcdfReader | None = None) -> Refused:
    with pytest.raises(Refused) as caught:
        (reader or NetcdfReader()).read([Payload(path, path.name)])
    for language in ("en", "zh"):
        assert path.name in explain(caught.value, language)
    return caught.value


def spans(reading: Reading) -> list[tuple[int, int]]:
    return [
        (round((f.period.start - RUN).total_seconds() / 3600), round((f.period.end - RUN).total_seconds() / 3600))
        for f in reading.fields
    ]


def test_imerg_gives_half_hours_of_observed_rain_in_its_own_order() -> None:
    reading = read(IMERG)
    field = reading.fields[0]
    start, end = datetime(2020, 1, 1, 12, tzinfo=UTC), datetime(2020, 1, 1, 12, 30, tzinfo=UTC)
    assert (field.period, field.kind, field.run_time) == (Period(start, end), RainKind.OBSERVED, end)
    assert field.support == Grid(-29.95, 30.05, 0.1, 0.1, 150, 150)
    with h5py.File(IMERG) as file:
        rate = file["Grid/precipitationCal"][0]  # lon, lat in mm/hr
    expected = np.where(rate > -9999, rate, np.nan).T.astype(np.float64) * 0.5
    assert np.allclose(np.asarray(field.values).reshape(150, 150), expected, rtol=1e-6, atol=0, equal_nan=True)


def test_intervals_come_from_bounds_and_values_are_those_of_the_file(tmp_path: Path) -> None:
    reading = read(write(tmp_path / "a.nc", HOURS))
    assert spans(reading) == [(0, 1), (1, 2)]
    assert [list(field.values) for field in reading.fields] == [[1, 2, 3, 4, 5, 6], [0, 0.5, 1, 1.5, 2, 2.5]]
    assert reading.fields[0].support == Grid(120.0, 38.0, 0.5, -0.5, 3, 2)
    assert (reading.run_time, reading.fields[0].kind) == (RUN, RainKind.FORECAST)


def test_totals_from_the_start_are_differenced_across_files(tmp_path: Path) -> None:
    one = write(tmp_path / "one.nc", [HOURS[0]], bounds=[(0, 3)])
    two = write(tmp_path / "two.nc", [np.add(HOURS[0], 1)], bounds=[(0, 6)])
    for order in ((one, two), (two, one)):
        reading = read(*order)
        assert spans(reading) == [(0, 3), (3, 6)]
        assert list(reading.fields[1].values) == [1.0] * 6


@pytest.mark.parametrize(
    ("units", "factor"),
    [("mm", 1), ("kg m-2", 1), ("kg/m^2", 1), ("m", 1000), ("kg m**-2", 1), ("mm/hr", 2), ("kg m-2 s-1", 7200),
     ("mm h-1", 2), ("m s-1", 7.2e6), ("mm/day", 1 / 12)],
)  # fmt: skip
def test_a_unit_is_proven_and_a_rate_is_taken_over_its_interval(tmp_path: Path, units: str, factor: float) -> None:
    small = np.full((1, 2, 3), 2.0 / factor)
    reading = read(write(tmp_path / "u.nc", small, bounds=[(0, 2)], attributes={"units": units}))
    assert reading.fields[0].values[0] == pytest.approx(2.0)


def test_packed_numbers_are_unpacked_and_their_missing_ones_stay_missing(tmp_path: Path) -> None:
    packed = np.array([[[0, 10, 20], [-32768, 5000, 32000]]], dtype=np.int16)
    told = {"scale_factor": 0.01, "add_offset": 1.0, "_FillValue": np.int16(-32768), "valid_max": np.int16(20000)}
    values = read(write(tmp_path / "p.nc", packed, bounds=[(0, 1)], attributes=told)).fields[0].values
    assert list(values)[:3] == pytest.approx([1.0, 1.1, 1.2])
    assert [math.isnan(value) for value in values] == [False, False, False, True, False, True]
    assert values[4] == pytest.approx(51.0)


@pytest.mark.parametrize("told", [{}, {"_FillValue": -9999.0}, {"missing_value": [-9999.0, -1.0]}])
def test_missing_by_any_sentinel_is_never_zero(tmp_path: Path, told: dict[str, Any]) -> None:
    values = [[[1.0, -9999.0, 2.0], [math.nan, 3.0, 4.0]]]
    found = read(write(tmp_path / "m.nc", values, bounds=[(0, 1)], attributes=told)).fields[0].values
    assert [math.isnan(value) for value in found] == [False, True, False, True, False, False]


def test_a_negative_step_within_the_packing_of_int16_is_clipped(tmp_path: Path) -> None:
    packed = np.array([[[100] * 3] * 2, [[99] * 3] * 2], dtype=np.int16)
    path = write(tmp_path / "n.nc", packed, bounds=[(0, 1), (0, 2)], attributes={"scale_factor": 0.1})
    reading = read(path)
    assert list(reading.fields[1].values) == [0.0] * 6
    assert any("note-clipped" in text for text in reading.fields[1].quality)


@pytest.mark.parametrize(
    ("lat", "lon", "dims"),
    [
        (LAT, LON[::-1], ("time", "lat", "lon")),
        (LAT[::-1], LON, ("lon", "lat", "time")),
        (LAT[::-1], LON[::-1], ("lat", "time", "lon")),
        (LAT, [-240.0, -239.5, -239.0], ("time", "lon", "lat")),
        (LAT, [480.0, 480.5, 481.0], ("lon", "time", "lat")),
    ],
)
def test_every_order_of_dimensions_puts_rain_in_its_place(
    tmp_path: Path, lat: list[float], lon: list[float], dims: tuple[str, ...]
) -> None:
    table = np.array([[[y * 10 - (x % 360) for x in lon] for y in lat]])
    values = np.transpose(table, [("time", "lat", "lon").index(dim) for dim in dims])
    axes = {"lat": (lat, {"units": "degrees_north"}), "lon": (lon, {"units": "degrees_east"})}
    field = read(write(tmp_path / "o.nc", values, dims=dims, bounds=[(0, 1)], axes=axes)).fields[0]
    grid = field.support
    assert isinstance(grid, Grid)
    assert -180 <= grid.lon0 < 180
    assert grid.dlon == 0.5
    for row in range(grid.ny):
        for column in range(grid.nx):
            at = (grid.lat0 + row * grid.dlat) * 10 - (grid.lon0 + column * grid.dlon)
            assert field.values[row * grid.nx + column] == pytest.approx(at)


def test_longitudes_across_the_date_line_run_on(tmp_path: Path) -> None:
    axes = {"lon": ([179.5, -180.0, -179.5], {"units": "degrees_east"})}
    assert read(write(tmp_path / "d.nc", HOURS, axes=axes)).fields[0].support == Grid(179.5, 38.0, 0.5, -0.5, 3, 2)


def test_a_projected_grid_takes_its_two_dimensional_coordinates(tmp_path: Path) -> None:
    lat = [[38.0, 38.1, 38.2], [37.5, 37.6, 37.7]]
    lon = [[120.0, 120.5, 121.0], [120.1, 120.6, 121.1]]
    tables = {"nav_lat": (lat, {"units": "degrees_north"}), "nav_lon": (lon, {"units": "degrees_east"})}
    axes = {"y": ([0.0, 1.0], {"units": "km"}), "x": ([0.0, 1.0, 2.0], {"units": "km"})}
    told = {"coordinates": "nav_lon nav_lat"}
    path = write(tmp_path / "c.nc", HOURS, dims=("time", "y", "x"), axes=axes, tables=tables, attributes=told)
    field = read(path).fields[0]
    assert isinstance(field.support, CurvedGrid)
    assert (list(field.support.lat), list(field.support.lon)) == ([*lat[0], *lat[1]], [*lon[0], *lon[1]])
    assert list(field.values) == [1, 2, 3, 4, 5, 6]


def test_an_axis_that_is_not_equidistant_is_never_taken_for_regular(tmp_path: Path) -> None:
    axes = {"lat": ([38.0, 37.0, 36.5], {"units": "degrees_north"})}
    path = write(tmp_path / "g.nc", [[[1, 2, 3], [4, 5, 6], [7, 8, 9]]], bounds=[(0, 1)], axes=axes)
    support = read(path).fields[0].support
    assert isinstance(support, CurvedGrid)
    assert [support.lat[0], support.lat[3], support.lat[6]] == [38.0, 37.0, 36.5]


def test_members_are_told_apart(tmp_path: Path) -> None:
    axes = {"number": ([3, 5], {"standard_name": "realization"})}
    dims = ("number", "time", "lat", "lon")
    reading = read(write(tmp_path / "e.nc", [HOURS, np.multiply(HOURS, 2)], dims=dims, axes=axes))
    assert [(f.member, f.values[5]) for f in reading.fields] == [(3, 6.0), (3, 2.5), (5, 12.0), (5, 5.0)]


def test_a_run_as_a_dimension_of_one_is_the_run_and_no_time(tmp_path: Path) -> None:
    axes = {"forecast": ([0.0], {"units": UNITS, "standard_name": "forecast_reference_time"})}
    path = write(tmp_path / "f.nc", [HOURS], dims=("forecast", "time", "lat", "lon"), axes=axes, run=None)
    reading = read(path)
    assert (reading.run_time, spans(reading)) == (RUN, [(0, 1), (1, 2)])


def test_chunks_that_span_several_steps_give_the_same_values(tmp_path: Path) -> None:
    values = np.arange(7 * 2 * 3, dtype=np.float32).reshape(7, 2, 3)
    spans_ = [(hour, hour + 1) for hour in range(7)]
    storage = {"chunks": (3, 2, 2), "compression": "gzip", "shuffle": True}
    found = read(write(tmp_path / "k.nc", values, bounds=spans_, storage=storage)).fields
    assert [list(field.values) for field in found] == values.reshape(7, 6).tolist()


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"time": {"calendar": "360_day"}}, "calendar"),
        ({"time": {"units": "months since 2026-01-01"}}, "time-unit"),
        ({"time": {"bounds": "gone"}}, "no-bounds"),
        ({"run": None}, "no-run"),
        ({"attributes": {"units": "inch"}}, "unit"),
        ({"attributes": {"units": ""}}, "unit"),
        ({"name": "snow", "attributes": {"standard_name": "snowfall_amount"}}, "no-rain"),
        ({"axes": {"lat": ([38.0, 37.5], {"units": "km"})}}, "grid"),
        ({"axes": {"lon": ([120.0, 120.5, 120.2], {"units": "degrees_east"})}}, "coordinate"),
        ({"bounds": [(0, 0), (0, 0)]}, "no-interval"),
        ({"bounds": [(1, 0), (1, 2)]}, "time-value"),
    ],
)
def test_what_cannot_be_proven_is_refused(tmp_path: Path, change: dict[str, Any], key: str) -> None:
    assert refused(write(tmp_path / "r.nc", HOURS, **change)).key == f"netcdf.{key}"


def test_a_dimension_nobody_knows_is_refused_by_name(tmp_path: Path) -> None:
    path = write(tmp_path / "x.nc", [HOURS, HOURS], dims=("level", "time", "lat", "lon"))
    assert refused(path).facts["size"] == 2


def test_several_rain_variables_are_named_and_a_standard_name_decides(tmp_path: Path) -> None:
    path = write(tmp_path / "two.nc", HOURS, attributes={"standard_name": ""}, name="tp")
    with h5py.File(path, "a") as file:
        file["precip"] = np.array(HOURS) * 2
        file["precip"].attrs["units"] = "mm"
    assert refused(path).facts["variables"] == "precip, tp"
    with h5py.File(path, "a") as file:
        file["tp"].attrs["standard_name"] = "precipitation_amount"
    assert list(read(path).fields[0].values) == [1, 2, 3, 4, 5, 6]


def test_utc_labels_and_beijing_labels_give_the_same_moments(tmp_path: Path) -> None:
    beijing = read(write(tmp_path / "b.nc", HOURS, time={"units": "hours since 2026-07-22 20:00:00 +08:00"}))
    assert spans(beijing) == [(0, 1), (1, 2)]


def test_measured_rain_needs_no_run_and_a_forecast_does(tmp_path: Path) -> None:
    path = write(tmp_path / "radar.nc", HOURS, run=None, globals_={"source": "weather radar composite"})
    assert {field.kind for field in read(path).fields} == {RainKind.OBSERVED}


def test_step_0_beside_later_steps_is_no_interval(tmp_path: Path) -> None:
    reading = read(write(tmp_path / "z.nc", [np.zeros((2, 3)), HOURS[0]], bounds=[(0, 0), (0, 3)]))
    assert spans(reading) == [(0, 3)]


def test_two_runs_never_meet(tmp_path: Path) -> None:
    one, two = write(tmp_path / "one.nc", HOURS), write(tmp_path / "two.nc", HOURS, run=1, bounds=[(2, 3), (3, 4)])
    with pytest.raises(Refused, match=r"netcdf\.mixture"):
        read(one, two)


def test_a_file_that_claims_terabytes_is_refused_not_tried(tmp_path: Path) -> None:
    path = write(tmp_path / "huge.nc", HOURS, name="other", attributes={"standard_name": ""})
    with h5py.File(path, "a") as file:
        made = file.create_dataset("rain", (2, 200_000, 300_000), "f8", chunks=(1, 1000, 1000))
        made.attrs.update({"units": "mm", "standard_name": "precipitation_amount"})
        for axis, dim in enumerate(("time", "lat", "lon")):
            made.dims[axis].attach_scale(file[dim])
    assert path.stat().st_size < 100_000
    assert refused(path).key in {"netcdf.points", "netcdf.grid"}


def test_declared_points_beyond_the_limit_are_refused(tmp_path: Path) -> None:
    assert refused(write(tmp_path / "few.nc", HOURS), NetcdfReader(points=5)).key == "netcdf.points"
    assert refused(write(tmp_path / "all.nc", HOURS), NetcdfReader(values=11)).key == "netcdf.points"


def test_a_chunk_that_unfolds_without_end_is_refused(tmp_path: Path) -> None:
    storage = {"chunks": (1, 8000, 8000), "compression": "gzip", "maxshape": (None, None, None)}
    assert refused(write(tmp_path / "bomb.nc", HOURS, storage=storage)).key == "netcdf.chunk"


def test_a_link_out_of_the_file_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "link.nc", HOURS)
    with h5py.File(path, "a") as file:
        file["more"] = h5py.ExternalLink("/etc/passwd", "/")
    assert refused(path).key == "netcdf.external"


def test_values_in_a_raw_file_beside_it_are_refused(tmp_path: Path) -> None:
    (tmp_path / "raw").write_bytes(b"\0" * 96)
    storage = {"external": [(str(tmp_path / "raw"), 0, 96)]}
    path = write(tmp_path / "ext.nc", HOURS, storage=storage)
    assert refused(path).key == "netcdf.external"


@pytest.mark.parametrize(
    ("content", "key"),
    [
        (b"CDF\x01" + b"\0" * 60, "netcdf.classic"),
        (b"CDF\x05" + b"\0" * 60, "netcdf.classic"),
        (b"<html>Bad gateway</html>", "netcdf.none"),
        (b"\x1f\x8b\x08\0" * 8, "netcdf.none"),
        (b"", "sources.empty"),
        (b"\x89HDF\r\n\x1a\n" + b"\0" * 60, "netcdf.unreadable"),
    ],
)
def test_what_is_no_netcdf_4_is_refused(tmp_path: Path, content: bytes, key: str) -> None:
    path = tmp_path / "odd.nc"
    path.write_bytes(content)
    assert refused(path).key == key


def test_a_file_broken_off_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "short.nc4"
    path.write_bytes(IMERG.read_bytes()[:20_000])
    assert refused(path).key == "netcdf.unreadable"


def test_without_h5py_the_refusal_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "h5py.py").write_text("raise ImportError('not here')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert refused(write(tmp_path / "a.nc", HOURS)).key == "netcdf.not-installed"


@pytest.mark.parametrize(
    ("name", "key", "seen"),
    [
        ("cmip6-hadgem3-pr-mon-360day.nc", "netcdf.calendar", "360_day"),
        ("cmip6-ecearth3-pr-day-196111.nc", "netcdf.no-run", "pr"),
    ],
)
def test_real_files_that_prove_too_little_are_refused(name: str, key: str, seen: str) -> None:
    refusal = refused(DATA / name)
    assert refusal.key == key
    assert seen in refusal.facts.values()


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_damage_is_refused_or_read_and_never_worse(tmp_path: Path, data: st.DataObject) -> None:
    content = bytearray(write(tmp_path / "whole.nc", HOURS, time={"units": UNITS}).read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    path = tmp_path / "damaged.nc"
    path.write_bytes(content[: data.draw(st.integers(len(content) // 2, len(content)))])
    try:
        assert read(path).fields
    except Refused as refusal:
        explain(refusal, "en")


def test_a_long_run_never_stands_in_memory_as_a_whole(tmp_path: Path) -> None:
    steps, side = 24, 300
    axes = {
        "lat": ([at * 0.05 for at in range(side)], {"units": "degrees_north"}),
        "lon": ([at * 0.05 for at in range(side)], {"units": "degrees_east"}),
    }
    totals = np.cumsum(np.ones((steps, side, side), dtype=np.float32), axis=0)
    path = write(tmp_path / "long.nc", totals, bounds=[(0, hour + 1) for hour in range(steps)], axes=axes)
    field = side * side * 8
    del totals
    tracemalloc.start()
    try:
        reading = read(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert [field.values[0] for field in reading.fields] == [1.0] * steps
    assert peak < steps * field / 3
