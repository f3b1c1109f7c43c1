"""Open-Meteo responses from a file."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geowarn.catalogue import explain
from geowarn.domain.errors import Refused
from geowarn.domain.period import Period
from geowarn.domain.rain import Grid, Payload, Reading
from geowarn.sources.openmeteo import OpenMeteoReader

SAMPLE = Path(__file__).parents[1] / "data" / "forecasts" / "openmeteo-berlin-2021-11-24.json"


def response(**changes: Any) -> dict[str, Any]:
    base: dict[str, Any] = {
        "latitude": 37.5,
        "longitude": 121.0,
        "utc_offset_seconds": 28800,
        "hourly_units": {"time": "iso8601", "precipitation": "mm"},
        "hourly": {"time": ["2026-07-23T02:00", "2026-07-23T03:00"], "precipitation": [1.5, None]},
    }
    return base | changes


def read(folder: Path, document: object) -> Reading:
    path = folder / "om.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return OpenMeteoReader().read([Payload(path, "om.json")])[0]


def refused(folder: Path, document: object) -> tuple[str, str]:
    with pytest.raises(Refused) as caught:
        read(folder, document)
    assert "om.json" in explain(caught.value, "en")
    return caught.value.key.removeprefix("sources."), explain(caught.value, "zh")


def test_the_sample_reads_as_hours_that_end_at_their_label() -> None:
    reading = OpenMeteoReader().read([Payload(SAMPLE, SAMPLE.name)])[0]
    document = json.loads(SAMPLE.read_text())
    assert len(reading.fields) == len(document["hourly"]["time"]) == 168
    first = reading.fields[0]
    assert first.period == Period.ending(datetime(2021, 11, 23, 23, tzinfo=UTC), 1)
    assert [field.values[0] for field in reading.fields] == document["hourly"]["precipitation"]
    assert first.support == Grid(13.42, 52.52, 0.1, 0.1, 1, 1)
    assert reading.run_time == first.period.start
    assert any("run-time-assumed" in text for text in first.quality)


def test_bug_9_null_is_missing_and_never_zero(tmp_path: Path) -> None:
    first, second = read(tmp_path, response()).fields
    assert first.values == (1.5,)
    assert math.isnan(second.values[0])
    assert second.period == Period.ending(datetime(2026, 7, 22, 19, tzinfo=UTC), 1)


def test_unixtime_is_utc_whatever_the_offset(tmp_path: Path) -> None:
    start = int(datetime(2026, 7, 22, 18, tzinfo=UTC).timestamp())
    units = {"time": "unixtime", "precipitation": "mm"}
    hourly = {"time": [start, start + 3600], "precipitation": [1, 2]}
    fields = read(tmp_path, response(hourly_units=units, hourly=hourly)).fields
    assert fields[0].period.end == datetime(2026, 7, 22, 18, tzinfo=UTC)


def test_several_points_must_form_a_grid(tmp_path: Path) -> None:
    def at(lat: float, lon: float, mm: float) -> dict[str, Any]:
        hourly = {"time": ["2026-07-23T02:00"], "precipitation": [mm]}
        return response(latitude=lat, longitude=lon, hourly=hourly)

    square = [at(37.75, 121, 3), at(37.5, 121, 1), at(37.5, 121.25, 2), at(37.75, 121.25, 4)]
    (field,) = read(tmp_path, square).fields
    assert field.support == Grid(121.0, 37.5, 0.25, 0.25, 2, 2)
    assert list(field.values) == [1, 2, 3, 4]
    assert refused(tmp_path, square[:3])[0] == "openmeteo-grid"
    assert refused(tmp_path, [*square, at(37.5, 121, 9)])[0] == "openmeteo.cell-twice"
    assert read(tmp_path, [*square, square[0]]).fields == (field,)  # two places asked for in one cell of the model
    assert refused(tmp_path, [at(37, 121, 1), at(37.1, 121, 1), at(37.5, 121, 1)])[0] == "openmeteo-grid"


def test_bug_9_members_are_told_apart(tmp_path: Path) -> None:
    names = ("precipitation", "precipitation_member01")
    hourly = {"time": ["2026-07-23T02:00"]} | {name: [index] for index, name in enumerate(names)}
    units = {"time": "iso8601"} | dict.fromkeys(names, "mm")
    fields = read(tmp_path, response(hourly=hourly, hourly_units=units)).fields
    assert [(field.member, field.values[0]) for field in fields] == [(0, 0), (1, 1)]


def columns(step: timedelta, **values: Sequence[float | None]) -> dict[str, Any]:
    start = datetime(2026, 7, 23)  # noqa: DTZ001
    times = [(start + index * step).isoformat(timespec="minutes") for index in range(len(next(iter(values.values()))))]
    return {"time": times, **values}


def units(*names: str) -> dict[str, str]:
    return {"time": "iso8601"} | dict.fromkeys(names, "mm")


def read_all(folder: Path, document: object) -> tuple[Reading, ...]:
    path = folder / "om.json"
    path.write_text(json.dumps(document))
    return OpenMeteoReader().read([Payload(path, "om.json")])


def test_bug_9_every_model_of_a_response_is_a_reading_of_its_own(tmp_path: Path) -> None:
    names: dict[str, Sequence[float | None]] = {
        "precipitation_icon_seamless_eps": [1.0, 2.0],
        "precipitation_member01_icon_seamless_eps": [3.0, 4.0],
        "precipitation_gfs_seamless": [5.0, None],
        "precipitation_bom_access_global": [None, None],
        "precipitation_probability_gfs_seamless": [80.0, 90.0],
    }
    document = response(hourly=columns(timedelta(hours=1), **names), hourly_units=units(*names))
    gfs, icon = read_all(tmp_path, document)
    assert (gfs.part, icon.part) == ("gfs_seamless", "icon_seamless_eps")
    assert [(f.member, f.values[0]) for f in icon.fields] == [(0, 1.0), (0, 2.0), (1, 3.0), (1, 4.0)]
    assert gfs.fields[0].values == (5.0,)
    assert math.isnan(gfs.fields[1].values[0])
    assert gfs.source == "Open-Meteo gfs_seamless"
    assert any("note-silent?model=bom_access_global" in text for text in gfs.notes)


def test_quarters_of_an_hour_are_read_where_there_are_no_hours(tmp_path: Path) -> None:
    quarters = columns(timedelta(minutes=15), precipitation=[0.0, 1.0, 0.5, 0.25])
    document = response(minutely_15=quarters, minutely_15_units=units("precipitation"))
    both = read(tmp_path, document)
    assert {field.period.hours for field in both.fields} == {1.0}
    assert any("note-unused?table=minutely_15" in text for text in both.notes)
    del document["hourly"]
    fields = read(tmp_path, document).fields
    assert [field.values[0] for field in fields] == [0.0, 1.0, 0.5, 0.25]
    assert fields[0].period == Period.ending(datetime(2026, 7, 22, 16, tzinfo=UTC), 0.25)
    assert all(a.period.end == b.period.start for a, b in pairwise(fields))


def test_a_clock_that_changes_among_local_labels_is_refused_and_unixtime_is_not(tmp_path: Path) -> None:
    count = 48
    local = columns(timedelta(hours=1), precipitation=[0.5] * count)
    local["time"] = [(datetime(2026, 10, 24) + timedelta(hours=h)).isoformat(timespec="minutes") for h in range(count)]  # noqa: DTZ001
    summer = {"timezone": "Europe/Berlin", "utc_offset_seconds": 7200}
    key, sentence = refused(tmp_path, response(hourly=local, **summer))
    assert key == "openmeteo.clock-change"
    assert "2026-10-25T01:00Z" in sentence
    start = int(datetime(2026, 10, 23, 22, tzinfo=UTC).timestamp())
    unix = {"time": [start + 3600 * hour for hour in range(count)], "precipitation": [0.5] * count}
    reading = read(tmp_path, response(hourly=unix, hourly_units={"time": "unixtime", "precipitation": "mm"}, **summer))
    assert len(reading.fields) == count
    day = {**local, "time": local["time"][:24], "precipitation": [0.5] * 24}
    assert len(read(tmp_path, response(hourly=day, **summer)).fields) == 24


def test_bug_9_hours_in_equal_threes_stay_and_are_named(tmp_path: Path) -> None:
    thirds = [0.4] * 3 + [1.2] * 3 + [0.1] * 3 + [0.0] * 3
    # Labels from 23 h on: the third interval is the first that starts at a multiple of three hours.
    document = response(
        hourly=columns(timedelta(hours=1), precipitation=[0.2, 0.3, *thirds, 0.7]), utc_offset_seconds=0
    )
    document["hourly"]["time"] = [
        (datetime(2026, 7, 22, 23) + timedelta(hours=h)).isoformat(timespec="minutes")  # noqa: DTZ001
        for h in range(len(document["hourly"]["precipitation"]))
    ]
    reading = read(tmp_path, document)
    assert any("note-shares?hours=3&start=2026-07-23T00" in text for text in reading.notes)
    assert [field.values[0] for field in reading.fields][2:5] == [0.4, 0.4, 0.4]
    hourly_model = response(hourly=columns(timedelta(hours=1), precipitation=[0.1 * h for h in range(24)]))
    assert not any("note-shares" in text for text in read(tmp_path, hourly_model).notes)


def test_totals_written_three_times_are_refused_by_the_response_s_own_day(tmp_path: Path) -> None:
    repeated = [float(mm) for mm in range(8) for _ in range(3)]
    daily = {"time": ["2026-07-23"], "precipitation_sum": [28.0]}
    key, sentence = refused(tmp_path, response(hourly=columns(timedelta(hours=1), precipitation=repeated), daily=daily))
    assert key == "openmeteo.repeated-total"
    assert "84.0" in sentence
    shares = [mm / 3 for mm in repeated]
    assert read(tmp_path, response(hourly=columns(timedelta(hours=1), precipitation=shares), daily=daily)).fields


def test_bug_9_the_days_of_the_sample_are_its_labels_00_to_23() -> None:
    document = json.loads(SAMPLE.read_text())
    for day, total in zip(document["daily"]["time"], document["daily"]["precipitation_sum"], strict=True):
        hours = zip(document["hourly"]["time"], document["hourly"]["precipitation"], strict=True)
        assert sum(mm for label, mm in hours if label.startswith(day)) == pytest.approx(total, abs=0.01)


def hourly(**changes: Any) -> dict[str, Any]:
    return {**response()["hourly"], **changes}


@pytest.mark.parametrize(
    ("document", "key", "says"),
    [
        ({"error": True, "reason": "Daily limit exceeded"}, "openmeteo-error", "Daily limit exceeded"),
        ("<html><body>502</body></html>", "web-page", "网页"),
        ("{", "openmeteo-json", "第 1 行"),
        ("[" * 100_000, "openmeteo-json", "JSON"),
        ('{"a": NaN}', "openmeteo-json", "JSON"),
        ("[]", "openmeteo-value", "$"),
        ("3", "openmeteo-value", "int"),
        ({"daily": {}}, "openmeteo-no-hourly", "hourly"),
        (response(hourly={"time": ["2026-07-23T02:00"]}), "openmeteo-no-hourly", "hourly"),
        (response(hourly=hourly(time=["2026-07-23T02:00", "2026-07-23T05:00"])), "openmeteo-value", "hourly.time[1]"),
        (response(hourly=hourly(time=["2026-07-23T02:00", "soon"])), "openmeteo-value", "soon"),
        (response(hourly=hourly(precipitation=[1])), "openmeteo-value", "hourly.precipitation"),
        (response(hourly=hourly(precipitation=[1, "x"])), "openmeteo-value", "hourly.precipitation[1]"),
        (response(hourly=hourly(precipitation=[1, True])), "openmeteo-value", "hourly.precipitation[1]"),
        (response(hourly=hourly(precipitation=[1, -2])), "openmeteo-value", "-2"),
        (response(hourly=hourly(precipitation=[1, 400])), "impossible", "400"),
        (response(hourly_units={"time": "iso8601", "precipitation": "inch"}), "openmeteo-unit", "inch"),
        (response(utc_offset_seconds=None), "openmeteo-value", "utc_offset_seconds"),
        (response(latitude=None), "openmeteo-value", "latitude"),
        (
            response(hourly={"time": ["2026-07-23T02:00"], "precipitation_icon_eu": [1]}),
            "openmeteo-unit",
            "precipitation_icon_eu",
        ),
        ({"reason": "Too many concurrent requests"}, "openmeteo-error", "Too many concurrent"),
        ([response(), {"error": True, "reason": "x"}], "openmeteo-error", "x"),
        (response(hourly=hourly(precipitation=[None, None])), "openmeteo.all-null", "null"),
        (response(timezone="Asia/Nowhere"), "openmeteo.zone-unknown", "Asia/Nowhere"),
        (response(timezone="Europe/Berlin"), "openmeteo.clock-change", "28800"),
    ],
)
def test_what_cannot_be_proved_is_refused(tmp_path: Path, document: object, key: str, says: str) -> None:
    found, sentence = refused(tmp_path, document)
    assert found == key
    assert says in sentence


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(offset=st.integers(-14, 14), count=st.integers(1, 30))
def test_any_fixed_offset_moves_all_hours_alike(tmp_path: Path, offset: int, count: int) -> None:
    local = datetime(2026, 7, 23)  # noqa: DTZ001
    labels = [(local + timedelta(hours=hour)).isoformat(timespec="minutes") for hour in range(count)]
    changes = {"utc_offset_seconds": offset * 3600, "hourly": {"time": labels, "precipitation": [0.5] * count}}
    fields = read(tmp_path, response(**changes)).fields
    assert fields[0].period.end == local.replace(tzinfo=UTC) - timedelta(hours=offset)
    assert all(a.period.end == b.period.start for a, b in pairwise(fields))


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_damage_is_refused_or_read_and_never_worse(tmp_path: Path, data: st.DataObject) -> None:
    content = bytearray(json.dumps([response(), response(longitude=121.1)]).encode())
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path / "damaged.json"
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    try:
        reading = OpenMeteoReader().read([Payload(path, path.name)])[0]
    except Refused as refusal:
        explain(refusal, "zh")
    else:
        assert reading.fields
