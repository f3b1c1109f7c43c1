"""GRIB 2 through the real decoder in its child process: samples, order of cells, limits, damage."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geowarn.catalogue import explain
from geowarn.domain.errors import Refused
from geowarn.domain.period import Period
from geowarn.domain.rain import Grid, Payload, RainKind, Reading
from geowarn.sources.decoding import Bad
from geowarn.sources.grib import GribReader
from geowarn.sources.grib_frames import fields, frames

DATA = Path(__file__).parents[1] / "data"
GFS = DATA / "forecasts" / "gfs-2p5deg-2011011012-f120-rain.grib2"
STEP0 = DATA / "forecasts" / "ecmwf-0p25-2024010100-step0-tp.grib2"
RUN = datetime(2026, 7, 22, 12, tzinfo=UTC)

Maker = Callable[..., Path]


@pytest.fixture
def made(tmp_path: Path) -> Maker:
    def make(*specs: dict[str, Any]) -> Path:
        path = tmp_path / "made.grib2"
        command = [sys.executable, str(DATA / "make_grib.py"), str(path)]
        subprocess.run(command, input=json.dumps(specs).encode(), check=True, timeout=60)
        return path

    return make


def refused(path: Path, reader: GribReader | None = None) -> Refused:
    with pytest.raises(Refused) as caught:
        (reader or GribReader()).read([Payload(path, path.name)])
    for language in ("en", "zh"):
        line = explain(caught.value, language)
        assert path.name in line
        assert "\n" not in line
    return caught.value


def value_at(reading: Reading, index: int, lat: float, lon: float) -> float:
    field = reading.fields[index]
    assert isinstance(field.support, Grid)
    grid = field.support
    row, column = round((lat - grid.lat0) / grid.dlat), round(((lon - grid.lon0) % 360) / grid.dlon)
    return field.values[row * grid.nx + column]


def test_noaa_sample_counts_the_rate_and_the_total_of_one_interval_once() -> None:
    reading = GribReader().read([Payload(GFS, GFS.name)])[0]
    assert len(reading.fields) == 1
    field = reading.fields[0]
    assert field.period == Period(datetime(2011, 1, 15, 6, tzinfo=UTC), datetime(2011, 1, 15, 12, tzinfo=UTC))
    assert reading.run_time == field.run_time == datetime(2011, 1, 10, 12, tzinfo=UTC)
    assert value_at(reading, 0, -22.5, 180) == pytest.approx(67.1)
    assert value_at(reading, 0, -20.0, 177.5) == pytest.approx(62.4)
    assert max(field.values) == pytest.approx(67.1)
    assert "note-once" in field.quality[0]
    assert not reading.synthetic


def test_step_0_alone_is_no_forecast_of_zero() -> None:
    assert refused(STEP0).key == "sources.grib-no-interval"


def test_totals_from_the_start_become_hours_and_missing_cells_stay_missing(made: Maker) -> None:
    path = made(
        {"hours": [0, 1], "values": [1, 2, 3, 4, None, 6]},
        {"hours": [0, 2], "values": [1.5, 2, 4, 4, None, None]},
    )
    reading = GribReader().read([Payload(path, path.name)])[0]
    first, second = reading.fields
    assert first.period == Period.ending(RUN.replace(hour=13), 1)
    assert second.period == Period.ending(RUN.replace(hour=14), 1)
    assert list(second.values)[:4] == pytest.approx([0.5, 0, 1, 0], abs=2e-3)
    assert [math.isnan(value) for value in first.values] == [False] * 4 + [True, False]
    assert [math.isnan(value) for value in second.values] == [False] * 4 + [True, True]
    assert first.kind is RainKind.FORECAST


@pytest.mark.parametrize("i_negative", [0, 1])
@pytest.mark.parametrize("j_positive", [0, 1])
@pytest.mark.parametrize(("j_consecutive", "alternate"), [(0, 0), (1, 0), (0, 1)])
def test_every_scanning_mode_puts_rain_in_its_place(
    made: Maker, i_negative: int, j_positive: int, j_consecutive: int, alternate: int
) -> None:
    lats = [37.5, 38.0] if j_positive else [38.0, 37.5]
    lons = [121.0, 120.5, 120.0] if i_negative else [120.0, 120.5, 121.0]
    rows = [[(lat, lon) for lon in (lons[::-1] if alternate and j % 2 else lons)] for j, lat in enumerate(lats)]
    order = [row[i] for i in range(3) for row in rows] if j_consecutive else [cell for row in rows for cell in row]
    keys = {
        "iScansNegatively": i_negative, "jScansPositively": j_positive, "jPointsAreConsecutive": j_consecutive,
        "alternativeRowScanning": alternate,
        "latitudeOfFirstGridPoint": round(lats[0] * 1e6), "latitudeOfLastGridPoint": round(lats[-1] * 1e6),
        "longitudeOfFirstGridPoint": round(lons[0] * 1e6), "longitudeOfLastGridPoint": round(lons[-1] * 1e6),
    }  # fmt: skip
    path = made({"hours": [0, 1], "values": [lat * 10 - lon for lat, lon in order], "set": keys})
    reading = GribReader().read([Payload(path, path.name)])[0]
    for lat, lon in order:
        assert value_at(reading, 0, lat, lon) == pytest.approx(lat * 10 - lon, abs=1e-2)


def test_longitudes_beyond_180_begin_in_the_west(made: Maker) -> None:
    keys = {"longitudeOfFirstGridPoint": 359500000, "longitudeOfLastGridPoint": 500000}
    path = made({"hours": [0, 1], "values": range_of(6), "set": keys})
    support = GribReader().read([Payload(path, path.name)])[0].fields[0].support
    assert support == Grid(-0.5, 38.0, 0.5, -0.5, 3, 2)


def range_of(count: int) -> list[float]:
    return [float(number) for number in range(count)]


def test_a_production_status_of_test_makes_it_synthetic(made: Maker) -> None:
    path = made({"hours": [0, 1], "values": range_of(6), "set": {"productionStatusOfProcessedData": 1}})
    assert GribReader().read([Payload(path, path.name)])[0].synthetic


def test_members_are_told_apart(made: Maker) -> None:
    member = {"productDefinitionTemplateNumber": 11, "numberOfForecastsInEnsemble": 2}
    path = made(
        *(
            {"hours": [0, 1], "values": [number] * 6, "set": member | {"perturbationNumber": number}}
            for number in (1, 2)
        )
    )
    reading = GribReader().read([Payload(path, path.name)])[0]
    assert [(field.member, field.values[0]) for field in reading.fields] == [(1, 1.0), (2, 2.0)]


@pytest.mark.parametrize(
    ("spec", "key"),
    [
        ({"values": [1] * 6, "set": {"productDefinitionTemplateNumber": 0}}, "grib-instant"),
        ({"hours": [0, 1], "values": [1] * 6, "set": {"typeOfStatisticalProcessing": 2}}, "grib-derived"),
        ({"hours": [0, 1], "values": [1] * 6, "set": {"parameterNumber": 1}}, "grib-no-rain"),
        ({"hours": [0, 1], "values": [1] * 5 + [301]}, "impossible"),
        ({"hours": [0, 1], "values": [1] * 5 + [-0.3]}, "grib-negative"),
        ({"hours": [0, 1], "values": [1] * 6, "set": {"significanceOfReferenceTime": 2}}, "grib-field"),
        ({"hours": [0, 1], "values": [1] * 6, "set": {"iDirectionIncrement": 100000}}, "grib-field"),
        ({"hours": [0, 1], "values": [1] * 6, "afterwards": {"lengthOfTimeRange": 2}}, "grib-field"),
    ],
)
def test_what_is_no_rain_over_an_interval_is_refused(made: Maker, spec: dict[str, Any], key: str) -> None:
    assert refused(made(spec)).key == f"sources.{key}"


def test_two_runs_in_one_file_are_refused(made: Maker) -> None:
    first = {"hours": [0, 1], "values": [1] * 6}
    other = {"hours": [1, 2], "values": [1] * 6, "set": {"hour": 13, "forecastTime": 0}}
    refusal = refused(made(first, other))
    assert (refusal.key, refusal.facts["field"]) == ("sources.grib-mixture", "run_time")


def test_a_truncated_file_names_the_message(tmp_path: Path) -> None:
    short = tmp_path / "short.grib2"
    short.write_bytes(GFS.read_bytes()[:-10])
    refusal = refused(short)
    assert refusal.key == "sources.grib-truncated"
    assert refusal.facts["message"] == 2


@pytest.mark.parametrize(
    ("content", "key"),
    [
        (b"<html>Bad gateway</html>", "grib-none"),
        (b"", "empty"),
        (b"GRIB\0\0\0\3" + b"\0" * 40, "grib-edition"),
        (b"x" * 400 + GFS.read_bytes(), "grib-gap"),
    ],
)
def test_what_is_no_grib_is_refused(tmp_path: Path, content: bytes, key: str) -> None:
    path = tmp_path / "odd.grib2"
    path.write_bytes(content)
    assert refused(path).key == f"sources.{key}"


def test_limits_on_points_and_time_hold() -> None:
    few = refused(GFS, GribReader(points=1000))
    assert (few.key, few.facts["points"]) == ("sources.grib-points", 10512)
    assert refused(GFS, GribReader(seconds=0)).key == "decoding.timeout"


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_damage_is_refused_or_read_and_never_worse(tmp_path: Path, data: st.DataObject) -> None:
    content = bytearray(GFS.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    path = tmp_path / "damaged.grib2"
    path.write_bytes(content)
    try:
        assert GribReader().read([Payload(path, path.name)])[0].fields
    except Refused as refusal:
        explain(refusal, "en")


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_framing_of_damaged_bytes_ends_in_a_reason(data: st.DataObject) -> None:
    content = bytearray(GFS.read_bytes()[: data.draw(st.integers(0, 14809))])
    for _ in range(data.draw(st.integers(0, 6)) if content else 0):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        for number, start, end in frames(bytes(content)):
            assert 0 <= start < end <= len(content)
            assert all(field.message(bytes(content)) for field in fields(bytes(content), number, start, end))
    except Bad as bad:
        explain(Refused(bad.key, file="x", limit=1, **bad.facts), "zh")
