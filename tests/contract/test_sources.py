"""What every reader promises, tried on each one that ships: disjoint interval totals in UTC, or a refusal."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from importlib.metadata import entry_points
from itertools import pairwise
from pathlib import Path
from random import Random

import numpy as np
import pytest
from tests.contract.source_samples import SAMPLES, Sample

from geowarn.catalogue import explain
from geowarn.domain.errors import Refused
from geowarn.domain.period import Period
from geowarn.domain.rain import AreaUnits, CurvedGrid, Grid, Payload, RainField, Reading, Stations
from geowarn.pipeline.ingest import note_sentence
from geowarn.ports import Reader

OURS = {point.name: point for point in entry_points(group="geowarn.sources") if point.value.startswith("geowarn.")}
ZONES = ("UTC", "Asia/Shanghai", "America/St_Johns", "Pacific/Apia")


def test_every_reader_that_ships_has_a_sample() -> None:
    """Guards the guard: a reader without one would pass everything below."""
    assert set(OURS) <= set(SAMPLES)
    assert {"grib", "openmeteo", "csv", "micaps", "nws"} <= set(OURS)


@pytest.fixture(params=sorted(OURS))
def reader(request: pytest.FixtureRequest) -> Reader:
    made: Reader = OURS[request.param].load()()
    assert made.name == request.param
    return made


@pytest.fixture
def sample(reader: Reader) -> Sample:
    return SAMPLES[reader.name]()


def write(folder: Path, files: tuple[tuple[str, bytes], ...]) -> list[Payload]:
    payloads = []
    for name, data in files:
        (folder / name).write_bytes(data)
        payloads.append(Payload(folder / name, name))
    return payloads


def places(field: RainField) -> tuple[str, ...]:
    """Places whose intervals may not overlap: areas and stations each for itself, a grid as a whole."""
    support = field.support
    if isinstance(support, AreaUnits):
        return support.codes
    return support.ids if isinstance(support, Stations) else ("grid",)


def series_of(reading: Reading) -> Iterator[list[Period]]:
    series: dict[object, list[Period]] = {}
    for field in reading.fields:
        for place in places(field):
            series.setdefault((field.member, field.kind, place), []).append(field.period)
    yield from series.values()


def hold(readings: tuple[Reading, ...]) -> None:
    """The contract itself."""
    assert readings
    assert len({reading.part for reading in readings}) == len(readings)
    for reading in readings:
        assert reading.fields
        assert reading.run_time.utcoffset() == timedelta(0)
        for text in {*reading.notes, *(one for field in reading.fields for one in field.quality)}:
            assert note_sentence(text, "zh")
            assert note_sentence(text, "en")
        for field in reading.fields:
            values = np.asarray(field.values)
            assert field.period.start.utcoffset() == field.period.end.utcoffset() == timedelta(0)
            assert field.run_time == reading.run_time
            assert isinstance(field.support, Grid | CurvedGrid | Stations | AreaUnits)
            assert values.shape == (field.support.size,)
            assert not np.isinf(values).any()
            assert not (values < 0).any()
        for periods in series_of(reading):
            assert not any(a.overlaps(b) for a, b in pairwise(sorted(periods)))


def content(readings: tuple[Reading, ...]) -> list[object]:
    """Everything a reading says, comparable though missing values never equal each other."""
    found: list[object] = []
    for one in readings:
        found.append((one.source, one.run_time, one.part, one.notes, one.synthetic))
        for field in one.fields:
            values = np.asarray(field.values, dtype=np.float64).tobytes()
            found.append((field.period, field.support, field.member, field.kind, field.quality, values))
    return found


def test_a_run_is_disjoint_totals_in_utc_and_missing_stays_missing(
    reader: Reader, sample: Sample, tmp_path: Path
) -> None:
    readings = reader.read(write(tmp_path, sample.files))
    hold(readings)
    every = np.concatenate([np.asarray(field.values) for one in readings for field in one.fields])
    assert np.isnan(every).sum() == sample.missing
    assert np.nanmax(every) == pytest.approx(sample.largest, abs=0.05)


def test_the_same_bytes_give_the_same_fields(reader: Reader, sample: Sample, tmp_path: Path) -> None:
    payloads = write(tmp_path, sample.files)
    once = content(reader.read(payloads))
    assert content(reader.read(payloads)) == once
    assert content(reader.read(payloads[::-1])) == once


def test_the_machine_s_zone_changes_nothing(
    reader: Reader, sample: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    payloads = write(tmp_path, sample.files)
    found = []
    try:
        for zone in ZONES:
            monkeypatch.setenv("TZ", zone)
            time.tzset()
            found.append(content(reader.read(payloads)))
    finally:
        monkeypatch.undo()
        time.tzset()
    assert all(one == found[0] for one in found)


def test_a_damaged_file_is_refused_or_still_keeps_the_contract(reader: Reader, sample: Sample, tmp_path: Path) -> None:
    chance, refused = Random(1), 0
    for number in range(sample.tries):
        name, data = chance.choice(sample.files)
        damaged = bytearray(data)
        if number % 2:
            del damaged[chance.randrange(len(damaged)) :]
        else:
            damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
        rest = tuple(pair for pair in sample.files if pair[0] != name)
        try:
            hold(reader.read(write(tmp_path, (*rest, (name, bytes(damaged))))))
        except Refused as refusal:
            refused += 1
            for language in ("zh", "en"):
                explain(refusal, language)
    assert refused > sample.tries // 4  # damage was really done


BAD = {
    "empty": b"",
    "blank": b" \n\n",
    "page": b"<!DOCTYPE html><html><body>502 Bad Gateway</body></html>",
    "other": b'diamond 4 x\nGRIB{"hourly":1}',
    "binary": bytes(range(256)) * 8,
    "one huge line": b"1" * (8 << 20),
}


@pytest.mark.parametrize("bad", BAD)
def test_what_is_no_data_is_refused_by_name(reader: Reader, tmp_path: Path, bad: str) -> None:
    (payload,) = write(tmp_path, (("bad.dat", BAD[bad]),))
    with pytest.raises(Refused) as caught:
        reader.read([payload])
    assert "bad.dat" in explain(caught.value, "zh")
    assert "bad.dat" in explain(caught.value, "en")


def test_a_folder_and_a_file_that_is_gone_are_refused(reader: Reader, tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "gone.dat"):
        with pytest.raises(Refused) as caught:
            reader.read([Payload(path, "gone.dat")])
        assert "gone.dat" in explain(caught.value, "en")
