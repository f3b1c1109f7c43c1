"""The classic bugs of reading rain from GRIB (hazard-methods 5.2), one test each, on constructed messages."""

from __future__ import annotations

import itertools
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.unit.grib_maker import hours, make, read, refused

from geowarn.domain.rain import CurvedGrid, RainKind
from geowarn.sources.grib import GribReader

SIX = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
PACKINGS = (
    "grid_simple", "grid_complex", "grid_complex_spatial_differencing", "grid_ccsds", "grid_jpeg", "grid_png",
    "grid_ieee",
)  # fmt: skip


def test_every_packing_gives_the_same_rain(tmp_path: Path) -> None:
    # PNG wants more than six points
    grid = {"Ni": 16, "Nj": 31, "latitudeOfLastGridPoint": 23000000, "longitudeOfLastGridPoint": 127500000}
    numbers = [[(at * (step + 1)) % 97 / 2 for at in range(496)] for step in range(len(PACKINGS))]
    specs = [
        {"hours": [at, at + 1], "values": numbers[at], "packing": packing, "bits": 16, "set": grid}
        for at, packing in enumerate(PACKINGS)
    ]
    constant = {"hours": [20, 21], "values": [2.5] * 496, "set": grid}
    reading = read(make(tmp_path / "p.grib2", *specs, constant))
    for field, expected in zip(reading.fields, [*numbers, [2.5] * 496], strict=True):
        assert list(field.values) == pytest.approx(expected, abs=2e-3)


def test_edition_1_is_read_in_simple_and_second_order_packing(tmp_path: Path) -> None:
    specs: list[dict[str, Any]] = [
        {"edition": 1, "hours": [0, 6], "values": SIX},
        {"edition": 1, "hours": [6, 12], "values": SIX, "packing": "grid_second_order"},
        {"edition": 1, "hours": [12, 18], "values": [*SIX[:5], None]},
    ]
    reading = read(make(tmp_path / "one.grib1", *specs))
    assert hours(reading) == [(0, 6), (6, 12), (12, 18)]
    assert [list(f.values)[:5] for f in reading.fields] == [pytest.approx(SIX[:5], abs=2e-3)] * 3
    assert math.isnan(reading.fields[2].values[5])


def test_bug_5_edition_1_mean_rate_is_taken_over_its_bucket(tmp_path: Path) -> None:
    spec = {"edition": 1, "hours": [6, 12], "values": [0.001] * 6, "decimals": 6}
    rate = {"indicatorOfParameter": 59, "timeRangeIndicator": 3}
    assert list(read(make(tmp_path / "r.grib1", spec | {"set": rate})).fields[0].values) == pytest.approx([21.6] * 6)


def test_edition_1_without_an_interval_is_no_total(tmp_path: Path) -> None:
    spec = {"edition": 1, "hours": [12, 0], "values": SIX, "set": {"timeRangeIndicator": 0}}
    assert refused(make(tmp_path / "i.grib1", spec)).key == "sources.grib-instant"


def test_edition_1_step_units_of_minutes_are_minutes(tmp_path: Path) -> None:
    spec = {"edition": 1, "hours": [0, 30], "values": SIX, "set": {"unitOfTimeRange": 0}}
    assert hours(read(make(tmp_path / "m.grib1", spec))) == [(0, 0.5)]


def test_bug_1_totals_from_the_start_are_differenced_across_files_whatever_their_order(tmp_path: Path) -> None:
    paths = [
        make(tmp_path / f"f{hour:03d}.grib2", {"hours": [0, hour], "values": [hour * 1.0] * 6}) for hour in (3, 6, 9)
    ]
    for order in itertools.permutations(paths):
        reading = read(*order)
        assert hours(reading) == [(0, 3), (3, 6), (6, 9)]
        assert [list(field.values) for field in reading.fields] == [[3.0] * 6] * 3
    assert "f009.grib2%231" in reading.fields[2].quality[0]  # names file and message


def test_bug_1_buckets_are_not_taken_for_totals_from_the_start(tmp_path: Path) -> None:
    path = make(tmp_path / "b.grib2", {"hours": [0, 6], "values": [5] * 6}, {"hours": [6, 12], "values": [2] * 6})
    assert [field.values[0] for field in read(path).fields] == [5.0, 2.0]


def test_bug_2_two_products_for_one_end_time_are_both_used_and_counted_once(tmp_path: Path) -> None:
    first = make(tmp_path / "f06.grib2", {"hours": [0, 6], "values": [5] * 6}, {"hours": [0, 6], "values": [5] * 6})
    second = make(tmp_path / "f09.grib2", {"hours": [6, 9], "values": [2] * 6}, {"hours": [0, 9], "values": [7] * 6})
    reading = read(first, second)
    assert hours(reading) == [(0, 6), (6, 9)]
    assert [field.values[0] for field in reading.fields] == [5.0, 2.0]
    assert refused(second).key == "sources.grib-overlap"


def test_bug_3_a_coarse_later_packing_does_not_make_negative_rain(tmp_path: Path) -> None:
    path = make(
        tmp_path / "n.grib2",
        {"hours": [0, 3], "values": [0.09, *SIX[1:]], "decimals": 2},
        {"hours": [0, 6], "values": [0.0, *SIX[1:]], "decimals": 1},
    )
    second = read(path).fields[1]
    assert min(second.values) == 0.0
    assert any("note-clipped" in text for text in second.quality)


def test_bug_4_metres_become_millimetres_and_an_absurd_rate_is_refused(tmp_path: Path) -> None:
    metres = {"centre": 98, "localTablesVersion": 1, "parameterNumber": 193}
    path = make(tmp_path / "m.grib2", {"hours": [0, 6], "values": [0.05] * 6, "set": metres, "decimals": 5})
    assert list(read(path).fields[0].values) == pytest.approx([50.0] * 6)
    rate = {"parameterNumber": 7, "typeOfStatisticalProcessing": 0}
    absurd = make(tmp_path / "a.grib2", {"hours": [0, 1], "values": [68.6] * 6, "set": rate})
    assert refused(absurd).key == "sources.impossible"


def test_bug_6_step_0_beside_later_steps_is_no_rain_of_its_own(tmp_path: Path) -> None:
    path = make(tmp_path / "z.grib2", {"hours": [0, 0], "values": [0] * 6}, {"hours": [0, 3], "values": SIX})
    assert hours(read(path)) == [(0, 3)]


def test_bug_7_step_units_of_minutes_and_days_are_read_from_both_ends(tmp_path: Path) -> None:
    minutes = {"indicatorOfUnitForTimeRange": 0, "lengthOfTimeRange": 60, "indicatorOfUnitOfTimeRange": 0}
    days = {"indicatorOfUnitForTimeRange": 2, "lengthOfTimeRange": 1}
    path = make(
        tmp_path / "u.grib2",
        {"hours": [1, 2], "values": SIX, "set": minutes | {"forecastTime": 60}},
        {"hours": [24, 48], "values": SIX, "set": days},
    )
    assert hours(read(path)) == [(1, 2), (24, 48)]


@pytest.mark.parametrize("written", [4294967290, 2147483654])
def test_bug_7_a_forecast_time_below_zero_is_an_interval_before_the_run(tmp_path: Path, written: int) -> None:
    path = make(tmp_path / "a.grib2", {"hours": [0, 6], "values": SIX})
    data = bytearray(path.read_bytes())
    section = data.index(b"\x00\x00\x00\x3a\x04")  # section 4 of template 8 with one time range
    data[section + 18 : section + 22] = written.to_bytes(4, "big")
    end = section + 34
    data[end : end + 7] = (2026).to_bytes(2, "big") + bytes([7, 22, 12, 0, 0])
    path.write_bytes(data)
    reading = read(path)
    assert hours(reading) == [(-6, 0)]
    assert reading.fields[0].kind is RainKind.OBSERVED


def test_bug_8_the_run_is_utc_whatever_the_local_zone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make(tmp_path / "t.grib2", {"hours": [0, 24], "values": SIX})
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    assert hours(read(path)) == [(0, 24)]


def test_bug_10_a_rotated_grid_takes_eccodes_coordinates(tmp_path: Path) -> None:
    # 16 x 31 points of eccodes' own sample, turned so that its pole is Siberia
    keep = ["productDefinitionTemplateNumber", "parameterCategory", "parameterNumber", "numberOfTimeRange",
            "typeOfStatisticalProcessing", "year", "month", "day", "hour", "minute", "second",
            "typeOfGeneratingProcess",
            "significanceOfReferenceTime", "forecastTime", "lengthOfTimeRange", "indicatorOfUnitOfTimeRange",
            "indicatorOfUnitForTimeRange", *(f"{part}OfEndOfOverallTimeInterval" for part in
            ("year", "month", "day", "hour", "minute", "second"))]  # fmt: skip
    for sample, shape in (("rotated_ll_sfc_grib2", (16, 31)), ("reduced_gg_sfc_grib2", (6114, 1))):
        own = {"latitudeOfSouthernPole": -30000000} if "rotated" in sample else {}
        spec = {"sample": sample, "keep": keep, "hours": [0, 3], "values": [1.0] * (shape[0] * shape[1]), "set": own}
        support = read(make(tmp_path / "r.grib2", spec)).fields[0].support
        assert isinstance(support, CurvedGrid)
        assert (support.nx, support.ny) == shape
        assert np.abs(np.asarray(support.lat)).max() <= 90
        if "rotated" in sample:
            assert len(set(np.round(support.lat[:16], 3))) == 16  # no row of equal latitudes


def test_bug_11_missing_by_bitmap_or_by_a_written_number_is_never_zero(tmp_path: Path) -> None:
    for sentinel in (9999.0, -999.0, -9999.0, 9.999e20):
        spec = {"hours": [0, 1], "values": [1.0, sentinel, 2.0, 3.0, 4.0, 5.0], "packing": "grid_ieee"}
        found = list(read(make(tmp_path / "s.grib2", spec)).fields[0].values)
        assert [math.isnan(value) for value in found] == [False, True, False, False, False, False], sentinel


def test_bug_11_radar_of_noaa_marks_missing_with_minus_three_and_is_observed(tmp_path: Path) -> None:
    mrms = {
        "discipline": 209, "centre": 161, "parameterCategory": 6, "parameterNumber": 37, "typeOfGeneratingProcess": 8,
        "productDefinitionTemplateNumber": 0, "significanceOfReferenceTime": 3,
    }  # fmt: skip
    spec = {"values": [0.0, -3.0, 2.0, -1.0, 4.0, 5.0], "set": mrms, "decimals": 1}
    field = read(make(tmp_path / "q.grib2", spec)).fields[0]
    assert (field.kind, field.period.hours, field.period.end) == (RainKind.OBSERVED, 1.0, field.run_time)
    assert [math.isnan(value) for value in field.values] == [False, True, False, True, False, False]


def test_bug_15_a_day_that_cannot_rain_so_much_is_refused_though_every_hour_could(tmp_path: Path) -> None:
    specs = [{"hours": [hour, hour + 1], "values": [*SIX[:5], 80.0]} for hour in range(24)]
    assert refused(make(tmp_path / "d.grib2", *specs)).key == "sources.impossible"


def test_bug_15_a_missing_step_in_the_middle_is_a_gap_and_never_zero(tmp_path: Path) -> None:
    paths = [make(tmp_path / f"f{h}.grib2", {"hours": [h - 3, h], "values": SIX}) for h in (3, 9)]
    assert hours(read(*paths)) == [(0, 3), (6, 9)]


def test_bug_15_two_runs_in_two_files_never_meet(tmp_path: Path) -> None:
    one = make(tmp_path / "one.grib2", {"hours": [0, 1], "values": SIX})
    two = make(tmp_path / "two.grib2", {"hours": [1, 2], "values": SIX, "set": {"hour": 13, "forecastTime": 0}})
    refusal = refused(one, two)
    assert (refusal.key, refusal.facts["message"]) == ("sources.grib-mixture", "two.grib2#1")


def test_bug_17_a_billion_points_are_refused_not_tried(tmp_path: Path) -> None:
    path = make(tmp_path / "big.grib2", {"hours": [0, 1], "values": [0] * 6})
    data = bytearray(path.read_bytes())
    section = data.index(b"\x00\x00\x00\x48\x03")  # section 3 of a regular grid
    data[section + 6 : section + 10] = (10**9).to_bytes(4, "big")
    data[section + 30 : section + 34] = (10**5).to_bytes(4, "big")
    data[section + 34 : section + 38] = (10**4).to_bytes(4, "big")
    path.write_bytes(data)
    refusal = refused(path)
    assert (refusal.key, refusal.facts["points"]) == ("sources.grib-points", 10**9)


def test_bug_17_the_points_of_all_files_together_are_bounded(tmp_path: Path) -> None:
    paths = [make(tmp_path / f"{h}.grib2", {"hours": [h, h + 1], "values": SIX}) for h in (0, 1)]
    assert refused(*paths, reader=GribReader(values=11)).facts["points"] == 12


def test_reading_twice_gives_the_same_bits(tmp_path: Path) -> None:
    path = make(tmp_path / "b.grib2", *({"hours": [0, h], "values": [h / 3] * 6} for h in (1, 2, 3)))
    one, two = read(path), read(path)
    for first, second in zip(one.fields, two.fields, strict=True):
        assert np.asarray(first.values).tobytes() == np.asarray(second.values).tobytes()
        assert np.asarray(first.values).dtype == np.asarray(second.values).dtype


def test_float32_is_kept_only_where_it_rounds_far_below_the_packing_step(tmp_path: Path) -> None:
    coarse, fine = ({"hours": [h, h + 1], "values": SIX, "decimals": d} for h, d in ((0, 3), (1, 7)))
    fields = read(make(tmp_path / "f.grib2", coarse, fine)).fields
    assert [np.asarray(field.values).dtype for field in fields] == [np.float32, np.float64]
    assert [np.asarray(field.values).nbytes for field in fields] == [24, 48]
