"""MICAPS types 3 and 4: constructed after files that stations exchange; no real one with a clear licence was found."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geowarn.catalogue import explain, say
from geowarn.domain.errors import Refused
from geowarn.domain.notes import parse_note
from geowarn.domain.period import Period
from geowarn.domain.rain import Grid, Payload, RainKind, Reading, Stations
from geowarn.sources.micaps import MicapsReader, Settings

RUN = datetime(2026, 7, 23, 0, tzinfo=UTC)  # 08 h in Beijing
quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def grid_text(
    lead: int = 24,
    *,
    title: str = "24小时降水",
    time: str = "26 07 23 08",
    sides: str = "0.5 -0.5 120.0 121.0 37.5 37.0",
    shape: str = "3 2",
    values: str = "0.0 1.5 2.0\n 9999 12.25 0.1",
) -> str:
    return f"diamond 4 {title}\n {time} {lead:03d} 0\n {sides} {shape}\n 25.0 0.0 100.0 1.0 50.0\n {values}\n"


def stations_text(
    *, title: str = "2026年07月23日08时24小时降水", time: str = "26 07 23 08", level: int = -1, count: int = 3
) -> str:
    edge = "2 122.7 37.3 122.5 36.7"
    rows = "01028 121.40 37.50 30 14.4\n54765 121.25 37.51 10 9999\n54863 121.18 36.77 41 0.01\n"
    return f"diamond  3 {title}\n {time} {level} 3 10 25 50 1 0\n {edge}\n 1 {count}\n{rows}"


def read(folder: Path, *files: tuple[str, str], settings: Settings | None = None) -> Reading:
    payloads = []
    for name, text in files:
        (folder / name).write_bytes(text.encode("gbk"))
        payloads.append(Payload(folder / name, name))
    return MicapsReader(settings).read(payloads)[0]


def refused(folder: Path, *files: tuple[str, str], settings: Settings | None = None) -> tuple[str, str]:
    with pytest.raises(Refused) as caught:
        read(folder, *files, settings=settings)
    assert files[-1][0] in explain(caught.value, "en") or files[0][0] in explain(caught.value, "en")
    return caught.value.key.removeprefix("micaps."), explain(caught.value, "zh")


# --- what a file means


def test_a_grid_file_is_an_interval_total_in_utc_with_its_missing_cell(tmp_path: Path) -> None:
    reading = read(tmp_path, ("26072308.024", grid_text()))
    (field,) = reading.fields
    assert field.period == Period.ending(RUN + timedelta(hours=24), 24)
    assert field.support == Grid(120.0, 37.5, 0.5, -0.5, 3, 2)
    assert list(field.values)[:3] == [0.0, 1.5, 2.0]
    assert math.isnan(field.values[3])
    assert (field.values[4], field.kind, reading.run_time, reading.source) == (
        12.25,
        RainKind.FORECAST,
        RUN,
        "MICAPS 4",
    )
    assert [say(parse_note(text)[0], "zh", **parse_note(text)[1]) for text in reading.notes]


def test_bug_12_rows_from_the_south_keep_their_step(tmp_path: Path) -> None:
    (field,) = read(tmp_path, ("26072308.024", grid_text(sides="0.5 0.5 120.0 121.0 37.0 37.5"))).fields
    assert field.support == Grid(120.0, 37.0, 0.5, 0.5, 3, 2)


def test_bug_8_a_label_in_beijing_time_over_a_header_in_utc_gives_the_same_hours(tmp_path: Path) -> None:
    beijing = read(tmp_path, ("26072308.024", grid_text()))
    utc = read(tmp_path, ("26072308.024", grid_text(time="2026 7 23 00")))
    title = read(tmp_path, ("rain.txt", grid_text(time="2026 7 23 0", title="26072308_024时效_24小时降水")))
    assert beijing.fields[0].period == utc.fields[0].period == title.fields[0].period
    assert beijing.run_time == utc.run_time == title.run_time


@pytest.mark.parametrize(("yy", "year"), [("26", 2026), ("69", 2069), ("99", 1999), ("2026", 2026)])
def test_bug_12_years_of_two_digits(tmp_path: Path, yy: str, year: int) -> None:
    name = f"{yy}072308.024"
    assert read(tmp_path, (name, grid_text(time=f"{yy} 07 23 08"))).run_time.year == year


def test_bug_12_stations_are_observed_and_keep_their_ids_as_written(tmp_path: Path) -> None:
    reading = read(tmp_path, ("26072308.000", stations_text()))
    (field,) = reading.fields
    assert field.support == Stations(("01028", "54765", "54863"), (121.4, 121.25, 121.18), (37.5, 37.51, 36.77))
    assert (field.values[0], field.values[2]) == (14.4, 0.01)
    assert math.isnan(field.values[1])
    assert field.kind is RainKind.OBSERVED
    assert field.period == Period.ending(RUN, 24)
    assert reading.run_time == RUN
    assert any("note-code" in text and "hours=24" in text for text in reading.notes)  # not the six hours of code -1


def test_stations_forecast_by_name_and_title(tmp_path: Path) -> None:
    text = stations_text(title="2026年07月23日08时024时效006小时降水预报场")
    (field,) = read(tmp_path, ("26072308.024", text)).fields
    assert field.kind is RainKind.FORECAST
    assert field.period == Period.ending(RUN + timedelta(hours=24), 6)


def test_bug_12_a_few_rows_fewer_than_declared_are_noted_and_many_are_refused(tmp_path: Path) -> None:
    rows = "".join(f"5{number:04d} 121.40 37.50 30 1.0\n" for number in range(1863))
    header = "diamond 3 17年03月31日15时24小时降水\n17 03 31 15 -1\n0\n1 25 0\n1 1869\n"
    reading = read(tmp_path, ("17033115.000", header + rows))
    assert reading.fields[0].support.size == 1863
    assert any("declared=1869&found=1863" in text for text in reading.notes)
    assert refused(tmp_path, ("17033115.000", header + rows[: len(rows) // 2]))[0] in ("count", "row")
    assert refused(tmp_path, ("26072308.000", stations_text(count=2)))[0] == "count"


def test_files_of_one_run_are_read_together_whatever_their_order(tmp_path: Path) -> None:
    files = [(f"26072308.{lead:03d}", grid_text(lead, title="3小时降水")) for lead in (9, 3, 6)]
    reading = read(tmp_path, *files)
    assert [(f.period.end - RUN) / timedelta(hours=1) for f in reading.fields] == [3, 6, 9]
    assert all(a.period.end == b.period.start for a, b in pairwise(reading.fields))


def test_totals_since_the_start_are_parted(tmp_path: Path) -> None:
    texts = [grid_text(lead, title="降水", values=f"0 {lead} {2 * lead} 9999 1 0.5") for lead in (6, 3)]
    reading = read(tmp_path, ("acc-26072308.006", texts[0]), ("acc-26072308.003", texts[1]))
    first, second = reading.fields
    assert first.period == Period.ending(RUN + timedelta(hours=3), 3)
    assert second.period == Period.ending(RUN + timedelta(hours=6), 3)
    assert list(second.values[:3]) == [0, 3, 6]
    assert math.isnan(second.values[3])
    assert list(second.values[4:]) == [0, 0]
    assert any("note-differenced" in text for text in second.quality)


def test_less_than_before_is_refused_beyond_the_last_decimal(tmp_path: Path) -> None:
    early, late = grid_text(3, title="降水", values="5.0 5 5 5 5 5"), grid_text(6, title="降水", values="4.9 5 5 5 5 5")
    fine = read(tmp_path, ("acc-26072308.003", early), ("acc-26072308.006", late))
    assert fine.fields[1].values[0] == 0
    worse = late.replace("4.9", "4.0")
    assert refused(tmp_path, ("acc-26072308.003", early), ("acc-26072308.006", worse))[0] == "negative"


# --- what is left open is settled by settings, or refused with advice

BARE = ("rain.dat", grid_text(title="降水"))


def test_what_the_header_leaves_open_is_refused_and_settled_by_settings_or_name(tmp_path: Path) -> None:
    assert refused(tmp_path, BARE)[0] == "length"
    assert refused(tmp_path, BARE, settings=Settings(hours=24))[0] == "zone"
    settled = read(tmp_path, BARE, settings=Settings(zone="beijing", hours=24))
    named = read(tmp_path, ("r24-26072308.024", BARE[1]))
    assert repr(settled.fields) == repr(named.fields)
    utc = read(tmp_path, BARE, settings=Settings(zone="utc", hours=24))
    assert utc.run_time == RUN + timedelta(hours=8)


@pytest.mark.parametrize(
    ("name", "text", "key", "says"),
    [
        ("26072308.024", grid_text(title="最高气温"), "not-rain", "最高气温"),
        ("26072308.024", grid_text(title="24小时降水概率"), "not-rain", "概率"),
        ("26072308.024", grid_text(title="24小时降水(cm)"), "unit", "cm"),
        ("26072308.024", grid_text(title="36小时降水"), "length-odd", "36"),
        ("r06-26072308.024", grid_text(), "lengths", "6 / 24"),
        ("26072308.006", grid_text(6), "lead-short", "24"),
        ("26072308.000", grid_text(0), "lead", "实况"),
        ("26072311.024", grid_text(), "name", "26072311"),
        ("26072308.024", grid_text(values="1 2 3 4 5"), "count", "6"),
        ("26072308.024", grid_text(values="1 2 3 4 5 6 7"), "count", "7"),
        ("26072308.024", grid_text(values="1 2 3\n4 x 6"), "field", "第 6 行"),
        ("26072308.024", grid_text(values="1 2 3\n4 nan 6"), "field", "nan"),
        ("26072308.024", grid_text(values="1 2 3 4 -5 6"), "negative", "-5"),
        ("26072308.024", grid_text(values="1 2 3 4 999.9 2000"), "sources.impossible", "2000"),
        ("26072308.024", grid_text(sides="0.5 0.5 120.0 121.0 37.5 37.0"), "step-sign", "dlat"),
        ("26072308.024", grid_text(sides="0.4 -0.5 120.0 121.0 37.5 37.0"), "step", "dlon"),
        ("26072308.024", grid_text(sides="0.5 -0.5 120.0 121.0 137.5 137.0"), "field", "lat0"),
        ("26072308.024", grid_text(sides="180 -0.5 0 360 37.5 37.0"), "wraps", "3"),
        ("26072308.024", grid_text(shape="100000 100000"), "points", "10000000000"),
        ("26072308.024", grid_text(time="26 02 30 08"), "field", "2026 2 30 8"),
        ("26072308.024", grid_text(time="26 07 23"), "field", "2026 7 23 24"),
        ("26072308.024", "diamond 4 24小时降水\n26 07", "header-short", "day"),
        ("26072308.024", "diamond 14 x\n", "type", "diamond 14"),
        ("26072308.024", "mdfs", "type", "mdfs"),
        ("26072308.024", "", "sources.empty", "空"),
        ("26072308.024", "<html>", "sources.web-page", "网页"),
        ("26072308.024", "diamond 4 a\0", "sources.binary", "二进制"),
        ("26072308.024", "diamond 4 24小时降水\n" + "1" * (1 << 21), "line-too-long", "第 2 行"),
        ("26072308.000", stations_text().replace("01028 121.40 37.50", "01028 37.50 121.40"), "field", "lat"),
        ("26072308.000", stations_text().replace("01028", "54765"), "station-twice", "54765"),
        ("26072308.000", stations_text().replace(" 14.4", ""), "row", "4"),
        ("26072308.000", stations_text().replace(" 1 3\n", " 2 3\n"), "field", "elements"),
        ("26072308.000", stations_text(title="2026年07月23日08时24小时降水预报"), "lead", "预报"),
    ],
)
def test_what_cannot_be_proved_is_refused(tmp_path: Path, name: str, text: str, key: str, says: str) -> None:
    found, sentence = refused(tmp_path, (name, text))
    assert found == key
    assert says in sentence


def test_files_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    one = ("26072308.024", grid_text())
    assert refused(tmp_path, one, ("26072320.024", grid_text(time="26 07 23 20")))[0] == "mixture"
    assert refused(tmp_path, one, ("26072308.048", grid_text(48, sides="0.25 -0.5 120 120.5 37.5 37")))[0] == "mixture"
    assert refused(tmp_path, one, ("26072308.000", stations_text()))[0] == "mixture"
    assert refused(tmp_path, one, ("26072308.036", grid_text(36)))[0] == "overlap"


def test_observed_files_of_several_days_are_one_reading(tmp_path: Path) -> None:
    second = stations_text(time="26 07 24 08", title="24小时降水").replace("54863 121.18 36.77", "54864 121.2 36.8")
    reading = read(tmp_path, ("26072308.000", stations_text()), ("26072408.000", second))
    assert [field.period.end for field in reading.fields] == [RUN, RUN + timedelta(days=1)]
    assert reading.run_time == RUN + timedelta(days=1)
    moved = second.replace("121.40", "121.45")
    assert refused(tmp_path, ("26072308.000", stations_text()), ("26072408.000", moved))[0] == "station-moved"


def test_a_run_of_12_h_named_like_its_header_may_be_in_utc(tmp_path: Path) -> None:
    """Programs that write MICAPS files often keep UTC in name and header; model runs start at 00, 06, 12, 18 UTC."""
    text = grid_text(time="26 07 23 12")
    assert refused(tmp_path, ("26072312.024", text))[0] == "zone"
    noon = datetime(2026, 7, 23, 12, tzinfo=UTC)
    assert read(tmp_path, ("26072312.024", text), settings=Settings(zone="utc")).run_time == noon
    assert read(tmp_path, ("26072312.024", text), settings=Settings(zone="beijing")).run_time == noon - timedelta(
        hours=8
    )
    word = grid_text(time="26 07 23 12", title="2026072312(UTC)24小时降水")
    assert read(tmp_path, ("26072312.024", word)).run_time == noon
    assert refused(tmp_path, ("26072312.024", word), settings=Settings(zone="beijing"))[0] == "zone-contradiction"
    later = ("26072320.024", text)
    assert read(tmp_path, later).run_time == noon
    assert refused(tmp_path, later, settings=Settings(zone="beijing"))[0] == "zone-contradiction"
    observed = stations_text(title="2026年07月23日12时1小时降水", time="26 07 23 12")
    assert read(tmp_path, ("26072312.000", observed)).run_time == noon - timedelta(hours=8)


@quick
@given(hour=st.integers(0, 23), lead=st.sampled_from([1, 3, 6, 12, 24, 72]), utc=st.booleans())
def test_any_header_clock_gives_the_same_hours(tmp_path: Path, hour: int, lead: int, utc: bool) -> None:
    run = datetime(2026, 7, 23, hour, tzinfo=UTC)
    label = "" if (hour + 8) % 6 else f"{run + timedelta(hours=8):%Y年%m月%d日%H时}(北京时)"
    name = f"r01-{run + timedelta(hours=8):%y%m%d%H}.{lead:03d}"
    header = run if utc else run + timedelta(hours=8)
    reading = read(tmp_path, (name, grid_text(lead, title=f"{label}降水", time=f"{header:%y %m %d %H}")))
    assert reading.run_time == run
    assert reading.fields[0].period == Period.ending(run + timedelta(hours=lead), 1)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_damage_is_refused_or_read_and_never_worse(tmp_path: Path, data: st.DataObject) -> None:
    name, text = data.draw(st.sampled_from([("26072308.024", grid_text()), ("26072308.000", stations_text())]))
    content = bytearray(text.encode("gbk"))
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    (tmp_path / name).write_bytes(content[: data.draw(st.integers(0, len(content)))])
    try:
        reading = MicapsReader().read([Payload(tmp_path / name, name)])[0]
    except Refused as refusal:
        explain(refusal, "zh")
    else:
        assert reading.fields
