"""Files become forecasts, whole or not at all, on a real database."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from geowarn.catalogue import explain
from geowarn.domain.area import Area, AreaKind
from geowarn.domain.errors import Refused
from geowarn.domain.rain import Forecast, RainKind
from geowarn.pipeline.ingest import ingest, note_sentence, reading_of
from geowarn.ports import Reader
from geowarn.sources.grib import GribReader
from geowarn.sources.openmeteo import OpenMeteoReader
from geowarn.sources.rain_csv import RainCsvReader
from geowarn.store.unit_of_work import SqlStore

SAMPLES = Path(__file__).parents[1] / "data" / "forecasts"
GFS = SAMPLES / "gfs-2p5deg-2011011012-f120-rain.grib2"
NOW = datetime(2026, 7, 23, tzinfo=UTC)
READERS: dict[str, Reader] = {"grib": GribReader(), "openmeteo": OpenMeteoReader(), "csv": RainCsvReader()}
CSV = "area,start,end,mm,kind\n370687,2026-07-22T00:00+08:00,2026-07-23T00:00+08:00,18.5,observed\n"

Ingest = Callable[..., Forecast]


class StillClock:
    """Always the same moment."""

    def now(self) -> datetime:
        return NOW


@pytest.fixture
def store() -> Iterator[SqlStore]:
    store = SqlStore.in_memory()
    with store.begin() as work:
        work.areas.save_all([Area("370687", AreaKind.COUNTY, "海阳市", "Haiyang")])
        work.commit()
    yield store
    store.dispose()


@pytest.fixture
def take(store: SqlStore, tmp_path: Path) -> Ingest:
    def take(reader: str, file: Path, **options: Any) -> Forecast:
        rest = {"source": None, "synthetic_installation": False, "actor_text": "test"} | options
        (made,) = ingest(store, StillClock(), READERS, tmp_path / "raw", reader, [file], **rest)
        return made

    return take


def state(store: SqlStore, tmp_path: Path) -> tuple[int, int, list[str]]:
    with store.read() as work:
        rows, entries = len(work.forecasts.latest()), len(work.ledger.entries())
    raw = tmp_path / "raw"
    return rows, entries, sorted(path.name for path in raw.iterdir()) if raw.exists() else []


@pytest.mark.parametrize(
    ("reader", "name", "fields"),
    [("grib", GFS.name, 1), ("openmeteo", "openmeteo-berlin-2021-11-24.json", 168)],
)
def test_a_file_is_kept_by_digest_with_one_ledger_entry(
    take: Ingest, store: SqlStore, tmp_path: Path, reader: str, name: str, fields: int
) -> None:
    forecast = take(reader, SAMPLES / name)
    digest = hashlib.sha256((SAMPLES / name).read_bytes()).hexdigest()
    assert forecast.id == f"f-{digest[:10]}"
    assert (forecast.payload_digest, forecast.file_name, forecast.fields) == (digest, name, fields)
    assert (forecast.received_at, forecast.kinds) == (NOW, frozenset({RainKind.FORECAST}))
    assert (tmp_path / "raw" / digest).read_bytes() == (SAMPLES / name).read_bytes()
    with store.read() as work:
        assert work.forecasts.get(forecast.id) == forecast
        (entry,) = work.ledger.entries(subject=forecast.id)
    assert (entry.kind, entry.actor) == ("forecast.ingested", "test")
    assert digest in entry.payload
    again = reading_of(forecast, READERS, tmp_path / "raw").fields
    assert len(again) == fields
    assert again[0].source == forecast.source


def test_bug_16_published_again_it_is_the_same_forecast(take: Ingest, store: SqlStore, tmp_path: Path) -> None:
    first = take("grib", GFS)
    before = state(store, tmp_path)
    copy = tmp_path / "other-name.grib2"
    copy.write_bytes(GFS.read_bytes())
    assert take("grib", copy) == first
    assert state(store, tmp_path) == before
    (tmp_path / "raw" / first.payload_digest).unlink()
    assert take("grib", copy) == first
    assert state(store, tmp_path) == before


def test_an_own_name_for_the_source_and_the_label_of_a_demo(take: Ingest, tmp_path: Path) -> None:
    forecast = take("grib", GFS, source="省气象台", synthetic_installation=True)
    assert (forecast.source, forecast.synthetic) == ("省气象台", True)
    reading = reading_of(forecast, READERS, tmp_path / "raw")
    assert {reading.source, *(field.source for field in reading.fields)} == {"省气象台"}
    assert "counted once" in note_sentence(reading.fields[0].quality[0], "en")
    assert "只计一次" in note_sentence(reading.fields[0].quality[0], "zh")


def test_a_synthetic_file_stays_synthetic_anywhere(take: Ingest, tmp_path: Path) -> None:
    path = tmp_path / "rain.csv"
    path.write_text("# synthetic: demo\n" + CSV, "utf-8")
    forecast = take("csv", path)
    assert forecast.synthetic
    assert forecast.kinds == {RainKind.OBSERVED}


@pytest.mark.parametrize(
    ("reader", "content", "key", "words"),
    [
        ("csv", CSV.replace("18.5", "x"), "sources.csv-number", ("rain.dat", "2", "mm", "x")),
        ("csv", CSV + CSV.splitlines()[1].replace("370687", "999999"), "ingest.unknown-area", ("3", "999999")),
        ("openmeteo", "<html>502</html>", "sources.web-page", ("rain.dat",)),
        ("grib", GFS.read_bytes()[:9000], "sources.grib-truncated", ("rain.dat", "2")),
        ("grib", b"", "sources.empty", ("rain.dat",)),
        ("tea-leaves", CSV, "ingest.unknown-reader", ("tea-leaves", "csv, grib, openmeteo")),
    ],
)
def test_bad_input_changes_nothing(
    take: Ingest, store: SqlStore, tmp_path: Path, reader: str, content: str | bytes, key: str, words: tuple[str, ...]
) -> None:
    path = tmp_path / "rain.dat"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(Refused) as caught:
        take(reader, path)
    assert caught.value.key == key
    for language in ("en", "zh"):
        assert all(word in explain(caught.value, language) for word in words)
    assert state(store, tmp_path) == (0, 0, [])


def test_a_file_that_is_not_there_is_refused(take: Ingest, store: SqlStore, tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"ingest\.no-file"):
        take("csv", tmp_path / "nowhere.csv")
    with pytest.raises(Refused, match=r"ingest\.no-file"):
        take("csv", tmp_path)
    with pytest.raises(Refused, match=r"ingest\.source"):
        take("grib", GFS, source="\n")
    assert state(store, tmp_path) == (0, 0, [])


def test_a_failure_in_the_transaction_leaves_neither_row_nor_entry(
    take: Ingest, store: SqlStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("geowarn.pipeline.ingest._facts", lambda *_: {"not": {"json"}})
    with pytest.raises(TypeError):
        take("grib", GFS)
    assert state(store, tmp_path)[:2] == (0, 0)


def test_a_changed_or_lost_payload_is_never_assessed(take: Ingest, tmp_path: Path) -> None:
    forecast = take("grib", GFS)
    kept = tmp_path / "raw" / forecast.payload_digest
    content = bytearray(kept.read_bytes())
    content[5000] ^= 1
    kept.write_bytes(content)
    with pytest.raises(Refused, match=r"ingest\.raw-changed"):
        reading_of(forecast, READERS, tmp_path / "raw")
    kept.unlink()
    with pytest.raises(Refused, match=r"ingest\.raw-missing"):
        reading_of(forecast, READERS, tmp_path / "raw")


def test_the_same_file_from_several_sides_at_once_is_one_forecast(
    take: Ingest, store: SqlStore, tmp_path: Path
) -> None:
    found: list[Forecast] = []
    threads = [threading.Thread(target=lambda: found.append(take("grib", GFS))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len({forecast.id for forecast in found}) == 1
    rows, entries, kept = state(store, tmp_path)
    assert (rows, entries, len(kept)) == (1, 1, 1)
