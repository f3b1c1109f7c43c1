"""NWS gridpoint data from a file: constructed after the service's documented form."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geowarn.catalogue import explain
from geowarn.domain.errors import Refused
from geowarn.domain.period import Period
from geowarn.domain.rain import Payload, RainKind, Reading
from geowarn.sources.nws import NwsReader

SAMPLE = Path(__file__).parents[1] / "data" / "forecasts" / "nws-tae-58-65-2022-02-04.geojson"
CELL = [[-97.1, 39.73], [-97.1, 39.75], [-97.07, 39.75], [-97.07, 39.73], [-97.1, 39.73]]


def gridpoint(**changes: Any) -> dict[str, Any]:
    values = [
        {"validTime": "2026-07-23T06:00:00+00:00/PT6H", "value": 2.54},
        {"validTime": "2026-07-23T12:00:00+00:00/PT3H", "value": None},
        {"validTime": "2026-07-23T15:00:00+00:00/P1DT1H", "value": 0},
    ]
    rain = {"uom": "wmoUnit:mm", "values": values} | changes.pop("rain", {})
    properties = {
        "updateTime": "2026-07-23T05:12:43+00:00",
        "gridId": "TOP",
        "gridX": 32,
        "gridY": 81,
        "quantitativePrecipitation": rain,
    }
    geometry = {"type": "Polygon", "coordinates": [CELL]}
    return {"type": "Feature", "geometry": geometry, "properties": properties | changes.pop("properties", {})} | changes


def read(folder: Path, document: object) -> Reading:
    path = folder / "nws.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return NwsReader().read([Payload(path, "nws.json")])[0]


def refused(folder: Path, document: object) -> tuple[str, str]:
    with pytest.raises(Refused) as caught:
        read(folder, document)
    assert "nws.json" in explain(caught.value, "en")
    return caught.value.key.removeprefix("nws."), explain(caught.value, "zh")


def test_a_real_response_gives_its_own_totals() -> None:
    document = json.loads(SAMPLE.read_text())
    (reading,) = NwsReader().read([Payload(SAMPLE, SAMPLE.name)])
    told = document["properties"]["quantitativePrecipitation"]["values"]
    assert [field.values[0] for field in reading.fields] == [one["value"] for one in told]
    assert {field.period.hours for field in reading.fields} == {3, 6}
    assert reading.run_time == datetime(2022, 2, 4, 3, 15, 41, tzinfo=UTC)
    assert reading.source == "NWS TAE 58 65"
    assert sum(field.values[0] for field in reading.fields) == pytest.approx(20.066)


def test_mixed_intervals_stay_the_totals_they_are(tmp_path: Path) -> None:
    reading = read(tmp_path, gridpoint())
    assert [field.period.hours for field in reading.fields] == [6, 3, 25]
    assert reading.fields[0].period.start == datetime(2026, 7, 23, 6, tzinfo=UTC)
    assert reading.fields[0].values == (2.54,)
    assert math.isnan(reading.fields[1].values[0])
    assert reading.run_time == datetime(2026, 7, 23, 5, 12, 43, tzinfo=UTC)
    assert (reading.source, reading.fields[0].kind) == ("NWS TOP 32 81", RainKind.FORECAST)


def test_the_cell_is_the_polygon_or_a_square_round_the_point(tmp_path: Path) -> None:
    cell = read(tmp_path, gridpoint()).fields[0].support
    assert (cell.lon0, cell.lat0) == pytest.approx((-97.085, 39.74))  # type: ignore[union-attr]
    assert (cell.dlon, cell.dlat) == pytest.approx((0.03, 0.02))  # type: ignore[union-attr]
    point = read(tmp_path, gridpoint(geometry={"type": "Point", "coordinates": [-97.08, 39.74]}))
    assert point.fields[0].support.dlon == 0.025  # type: ignore[union-attr]
    assert any("note-point" in text for text in point.notes)


def rain(**changes: Any) -> dict[str, Any]:
    return gridpoint(rain=changes)


def interval(valid: str, value: object = 1) -> dict[str, Any]:
    return rain(values=[{"validTime": valid, "value": value}])


@pytest.mark.parametrize(
    ("document", "key", "says"),
    [
        ("{", "json", "第 1 行"),
        ("[" * 100_000, "json", "JSON"),
        ('{"a": NaN}', "json", "JSON"),
        ("[]", "value", "list"),
        ("<html>", "sources.web-page", "网页"),
        ({"title": "Not Found", "status": 404, "detail": "no such gridpoint"}, "problem", "no such gridpoint"),
        ({"properties": 3}, "value", "properties"),
        (gridpoint(properties={"quantitativePrecipitation": None}), "no-rain", "quantitativePrecipitation"),
        (rain(values=[]), "no-rain", "values"),
        (rain(uom="wmoUnit:in"), "unit", "wmoUnit:in"),
        (rain(values=["x"]), "value", "values[0]"),
        (interval("2026-07-23T06:00:00/PT6H"), "value", "validTime"),
        (interval("2026-07-23T06:00:00+00:00/PT0H"), "value", "PT0H"),
        (interval("2026-07-23T06:00:00+00:00"), "value", "validTime"),
        (interval("9999-12-31T23:00:00+00:00/PT6H"), "value", "9999"),
        (interval("2026-07-23T06:00:00+00:00/PT6H", -1), "value", "-1"),
        (interval("2026-07-23T06:00:00+00:00/PT6H", "2"), "value", "values[0].value"),
        (interval("2026-07-23T06:00:00+00:00/PT1H", 301), "sources.impossible", "301"),
        (
            rain(values=[{"validTime": f"2026-07-23T0{hour}:00:00+00:00/PT3H", "value": 1} for hour in (3, 5)]),
            "overlap",
            "05:00Z",
        ),
        (gridpoint(properties={"updateTime": "today"}), "value", "updateTime"),
        (gridpoint(geometry=None), "value", "geometry.type"),
        (gridpoint(geometry={"type": "Polygon", "coordinates": [[[0, 0]]]}), "value", "ring"),
        (gridpoint(geometry={"type": "Point", "coordinates": [39.7, -97.1]}), "value", "-97.1"),
    ],
)
def test_what_cannot_be_proved_is_refused(tmp_path: Path, document: object, key: str, says: str) -> None:
    found, sentence = refused(tmp_path, document)
    assert found == key
    assert says in sentence


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(minutes=st.integers(-14 * 60, 14 * 60), hours=st.integers(1, 12))
def test_labels_in_any_offset_give_the_same_hours(tmp_path: Path, minutes: int, hours: int) -> None:
    start = datetime(2026, 7, 23, 6, tzinfo=UTC)
    label = start.astimezone(timezone(timedelta(minutes=minutes))).isoformat()
    (field,) = read(tmp_path, interval(f"{label}/PT{hours}H")).fields
    assert field.period == Period(start, start + timedelta(hours=hours))
