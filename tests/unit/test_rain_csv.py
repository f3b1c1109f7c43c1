"""Rain per area as CSV."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geowarn.catalogue import explain
from geowarn.domain.errors import Refused
from geowarn.domain.period import Period
from geowarn.domain.rain import AreaUnits, Payload, RainKind, Reading, Stations
from geowarn.sources.rain_csv import RainCsvReader

quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
HEADER = "area,start,end,mm,kind\n"
DAY = "370687,2026-07-22T00:00+08:00,2026-07-23T00:00+08:00,18.5,observed\n"


def read(folder: Path, text: str | bytes) -> Reading:
    path = folder / "rain.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return RainCsvReader().read([Payload(path, "rain.csv")])[0]


def refused(folder: Path, text: str | bytes) -> tuple[str, dict[str, object]]:
    with pytest.raises(Refused) as caught:
        read(folder, text)
    assert "rain.csv" in explain(caught.value, "en")
    assert "rain.csv" in explain(caught.value, "zh")
    return caught.value.key.removeprefix("sources.csv-"), caught.value.facts


def test_rows_of_one_interval_make_one_field(tmp_path: Path) -> None:
    reading = read(tmp_path, HEADER + DAY + DAY.replace("370687", "370682").replace("18.5", "") + "\n")
    (field,) = reading.fields
    assert field.support == AreaUnits(("370687", "370682"))
    assert field.values[0] == 18.5
    assert math.isnan(field.values[1])
    assert field.kind is RainKind.OBSERVED
    assert field.period == Period(datetime(2026, 7, 21, 16, tzinfo=UTC), datetime(2026, 7, 22, 16, tzinfo=UTC))
    assert reading.run_time == field.period.end
    assert (reading.source, reading.synthetic) == ("rain", False)


def test_comments_give_label_run_and_source(tmp_path: Path) -> None:
    top = "# anything\n# synthetic: 合成演示降雨（非真实预报）\n# run: 2026-07-21T20:00+08:00\n# source: 气象台\n"
    reading = read(tmp_path, "\ufeff" + top + HEADER + DAY.replace("observed", "forecast"))
    assert reading.synthetic
    assert reading.source == "气象台"
    assert reading.run_time == datetime(2026, 7, 21, 12, tzinfo=UTC)


def test_both_kinds_may_stand_in_one_file(tmp_path: Path) -> None:
    reading = read(tmp_path, HEADER + DAY + DAY.replace("observed", "forecast"))
    assert {field.kind for field in reading.fields} == set(RainKind)
    assert reading.run_time == reading.fields[0].period.start


@pytest.mark.parametrize(
    ("change", "key", "column"),
    [
        (("18.5", "1８.5"), "number", "mm"),
        (("18.5", "nan"), "number", "mm"),
        (("18.5", "12,5"), "cells", "-"),
        (("18.5", "-0.5"), "negative", "mm"),
        (("18.5", "9000"), "impossible", "mm"),
        *((("18.5", mm), "sentinel", "mm") for mm in ("9999", "999", "999.90", "-999", "-9999.0", "-1", "32766")),
        (("+08:00,2026-07-23", ",2026-07-23"), "no-offset", "start"),
        (("2026-07-23T00:00", "2026-07-22T00:00"), "end", "end"),
        (("2026-07-23", "2026-13-23"), "time", "end"),
        (("2026-07-23", "0001-01-01"), "time", "end"),
        (("observed", "guess"), "kind", "kind"),
        (("370687", ""), "area", "area"),
        (("370687", "a\tb"), "area", "area"),
        (("370687", '"370687'), "quoting", "-"),
    ],
)
def test_a_bad_cell_is_named(tmp_path: Path, change: tuple[str, str], key: str, column: str) -> None:
    found, facts = refused(tmp_path, "# comment\n" + HEADER + DAY.replace("370687", "370682") + DAY.replace(*change))
    assert (found, facts["line"], facts["column"]) == (key, 4, column)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("", "sources.empty"),
        ("\n", "no-rows"),
        (HEADER, "no-rows"),
        ("# only\n", "no-rows"),
        ("<!DOCTYPE html><p>502</p>", "sources.web-page"),
        (b"area,start\0", "sources.binary"),
        ((HEADER + DAY + "海阳").encode("gbk"), "sources.encoding"),
        ("area,start,end,mm,kind,note\n" + DAY, "unknown-column"),
        ("area,start,end,mm,mm\n" + DAY, "column-twice"),
        ("area,start,end,mm\n" + DAY, "column-missing"),
        ("# source: " + "x" * 300 + "\n" + HEADER + DAY, "comment"),
        ("# run: yesterday\n" + HEADER + DAY, "time"),
        (HEADER + "x" * 5000, "line-too-long"),
    ],
)
def test_a_bad_file_is_refused(tmp_path: Path, text: str | bytes, key: str) -> None:
    assert refused(tmp_path, text)[0] == key


def test_overlapping_intervals_of_one_area_are_refused(tmp_path: Path) -> None:
    later = DAY.replace("22T00:00", "22T12:00")
    key, facts = refused(tmp_path, HEADER + DAY + later)
    assert (key, facts["line"], facts["other"], facts["area"]) == ("overlap", 3, 2, "370687")
    assert len(read(tmp_path, HEADER + DAY + later.replace("370687", "370682")).fields) == 2


def test_more_than_a_day_can_hold_is_refused(tmp_path: Path) -> None:
    rows = [f"a,2026-07-22T{h:02}:00Z,2026-07-22T{h + 1:02}:00Z,290,forecast\n" for h in range(10)]
    assert refused(tmp_path, HEADER + "".join(rows))[0] == "sources.impossible"


STATIONS = "station,lon,lat,start,end,mm,kind\n"
GAUGE = "01028,121.4,37.5,2026-07-22T00:00+08:00,2026-07-23T00:00+08:00,18.5,observed\n"


def test_a_header_with_stations_gives_stations(tmp_path: Path) -> None:
    reading = read(
        tmp_path, "# source: 水文站\n" + STATIONS + GAUGE + GAUGE.replace("01028", "1028").replace("18.5", "")
    )
    (field,) = reading.fields
    assert field.support == Stations(("01028", "1028"), (121.4, 121.4), (37.5, 37.5))
    assert field.values[0] == 18.5
    assert math.isnan(field.values[1])
    assert (field.kind, reading.source) == (RainKind.OBSERVED, "水文站")


@pytest.mark.parametrize(
    ("change", "key", "column"),
    [
        (("121.4,37.5", "37.5,121.4"), "position", "lat"),
        (("121.4", "181"), "position", "lon"),
        (("121.4", ""), "position", "lon"),
        (("121.4", "121°24′"), "position", "lon"),
        (("121.4,37.5", "0,0.0"), "position", "lon, lat"),
        (("01028", ""), "station", "station"),
        (("18.5", "9999"), "sentinel", "mm"),
        (("+08:00,18.5", ",18.5"), "no-offset", "end"),
    ],
)
def test_a_bad_cell_of_a_station_is_named(tmp_path: Path, change: tuple[str, str], key: str, column: str) -> None:
    found, facts = refused(tmp_path, STATIONS + GAUGE.replace("01028", "54765") + GAUGE.replace(*change))
    assert (found, facts["line"], facts["column"]) == (key, 3, column)


def test_a_station_has_one_position_and_one_value_a_time(tmp_path: Path) -> None:
    later = GAUGE.replace("22T00", "23T00", 1).replace("23T00:00+08:00,18", "24T00:00+08:00,18")
    key, facts = refused(tmp_path, STATIONS + GAUGE + later.replace("121.4", "121.5"))
    assert (key, facts["line"], facts["other"], facts["station"]) == ("station-moved", 3, 2, "01028")
    assert len(read(tmp_path, STATIONS + GAUGE + later).fields) == 2
    assert refused(tmp_path, STATIONS + GAUGE + GAUGE)[0] == "overlap"
    assert refused(tmp_path, STATIONS.replace("lat,", "") + GAUGE)[0] == "column-missing"
    assert refused(tmp_path, STATIONS.replace("lat", "area") + GAUGE)[0] == "unknown-column"


@quick
@given(st.integers(-14 * 60, 14 * 60), st.integers(-14 * 60, 14 * 60))
def test_labels_in_any_offset_give_the_same_fields(tmp_path: Path, first: int, second: int) -> None:
    start, end = datetime(2026, 7, 21, 16, tzinfo=UTC), datetime(2026, 7, 22, 16, tzinfo=UTC)
    labels = [
        moment.astimezone(timezone(timedelta(minutes=minutes))).isoformat()
        for moment, minutes in ((start, first), (end, second))
    ]
    reading = read(tmp_path, STATIONS + f"01028,121.4,37.5,{labels[0]},{labels[1]},18.5,observed\n")
    assert reading.fields == read(tmp_path, STATIONS + GAUGE).fields


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_damage_is_refused_or_read_and_never_worse(tmp_path: Path, data: st.DataObject) -> None:
    content = bytearray(("# synthetic: x\n" + HEADER + DAY * 2).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        reading = read(tmp_path, bytes(content[: data.draw(st.integers(0, len(content)))]))
    except Refused as refusal:
        explain(refusal, "zh")
    else:
        assert reading.fields
