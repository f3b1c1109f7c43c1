"""Real files to levels through the real store and readers: the line's first half, stored and replayed."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from geowarn.catalogue import LANGUAGES, explain
from geowarn.domain.assessment import AssessmentRun
from geowarn.domain.errors import Refused
from geowarn.domain.level import Level
from geowarn.hazard.effrain_matrix import EffrainMatrix
from geowarn.pipeline.areas import import_areas
from geowarn.pipeline.assess import assess, evidence_sentence, replay
from geowarn.pipeline.ingest import ingest
from geowarn.pipeline.rules import load_rules
from geowarn.ports import HazardModel, Reader
from geowarn.resources import config_dir
from geowarn.sources.grib import GribReader
from geowarn.sources.rain_csv import RainCsvReader
from geowarn.store import upgrade
from geowarn.store.unit_of_work import SqlStore
from geowarn.templating import JinjaTemplates

DATA = Path(__file__).parents[1] / "data"
GFS = DATA / "forecasts" / "gfs-2p5deg-2011011012-f120-rain.grib2"
RULES = load_rules(config_dir() / "rules" / "effrain-matrix.toml")
SQUARE = [[177.0, -20.5], [178.0, -20.5], [178.0, -19.5], [177.0, -19.5], [177.0, -20.5]]
BULLETIN_UNITS = {"高新区": "370671", "开发区": "370676", "昆嵛区": "own-kunyu", "长岛综试区": "own-changdao"}


class Bench:
    """A small installation with a clock that stands still."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.moment = folder, datetime(2026, 7, 23, 12, 20, tzinfo=UTC)
        url = f"sqlite:///{folder / 'geowarn.db'}"
        upgrade.upgrade(url)
        self.store = SqlStore(url)
        self.readers: dict[str, Reader] = {"grib": GribReader(), "csv": RainCsvReader()}
        self.models: dict[str, HazardModel] = {"effrain-matrix": EffrainMatrix()}

    def now(self) -> datetime:
        return self.moment

    def areas(self, *paths: Path) -> None:
        import_areas(self.store, self, paths, "tester")

    def ingest(self, reader: str, file: Path) -> str:
        (made,) = ingest(
            self.store,
            self,
            self.readers,
            self.folder / "raw",
            reader,
            [file],
            source=None,
            synthetic_installation=False,
            actor_text="tester",
        )
        return made.id

    def assess(self, forecast: str, hours: int, **more: Any) -> AssessmentRun:
        return assess(
            self.store,
            self,
            self.readers,
            self.models,
            self.folder / "raw",
            self.folder / "cache",
            forecast,
            rules=RULES,
            model="effrain-matrix",
            window_hours=hours,
            actor_text="tester",
            **more,
        )

    def rain(self, name: str, rows: Sequence[tuple[str, datetime, datetime, str, str]]) -> str:
        path = self.folder / name
        with path.open("w", encoding="utf-8", newline="") as out:
            writer = csv.writer(out)
            writer.writerow(["area", "start", "end", "mm", "kind"])
            writer.writerows(
                [code, start.isoformat(), end.isoformat(), mm, kind] for code, start, end, mm, kind in rows
            )
        return self.ingest("csv", path)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    found = Bench(tmp_path)
    yield found
    found.store.dispose()


def square(folder: Path) -> Path:
    path = folder / "square.geojson"
    properties = {"code": "sq", "kind": "county", "name_zh": "方区", "name_en": "Square", "class": "high"}
    shape = {"type": "Polygon", "coordinates": [SQUARE]}
    feature = {"type": "Feature", "properties": properties, "geometry": shape}
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}), encoding="utf-8")
    return path


def yantai(folder: Path) -> list[Path]:
    """The shipped set with every class high: CSV only for the classes."""
    shipped = config_dir() / "areas" / "yantai"
    with (shipped / "areas.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    counties = json.loads((shipped / "areas.geojson").read_text("utf-8"))
    for feature in counties["features"]:
        feature["properties"]["class"] = "high"
    table, shapes = folder / "areas.csv", folder / "areas.geojson"
    with table.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, list(rows[0]))
        writer.writeheader()
        writer.writerows({**row, "class": "high"} for row in rows)
    shapes.write_text(json.dumps(counties), encoding="utf-8")
    return [table, shapes]


START = datetime(2011, 1, 15, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_the_gfs_sample_with_and_without_observed_rain(bench: Bench, tmp_path: Path) -> None:
    bench.areas(square(tmp_path))
    forecast = bench.ingest("grib", GFS)
    with pytest.raises(Refused) as refused:
        bench.assess(forecast, 6, at=START)
    assert refused.value.key == "assess.stale"
    for language in LANGUAGES:
        assert str(refused.value.facts["age"]) in explain(refused.value, language)

    (alone,) = bench.assess(forecast, 6, at=START, stale_reason="sample").assessments
    assert (alone.level, alone.lower_bound) == (Level.BLUE, True)
    assert alone.evidence["r0_mm"] == pytest.approx(62.4)
    assert alone.evidence["stale"] is True

    (day,) = bench.assess(forecast, 24, stale_reason="sample").assessments
    assert day.level is None
    assert day.evidence["cannot_classify"]["hours"] == 18
    assert "18 h" in evidence_sentence(JinjaTemplates(), day, "en")
    assert "18 小时" in evidence_sentence(JinjaTemplates(), day, "zh")

    end = START + 6 * HOUR
    bench.rain(
        "observed.csv",
        [
            ("sq", START - 18 * HOUR, START, "0", "observed"),
            ("sq", end - 48 * HOUR, end - 24 * HOUR, "30", "observed"),
        ],
    )
    run = bench.assess(forecast, 6, stale_reason="sample")
    assert run.window.start == START
    assert run.stale_reason == "sample"
    assert len(run.inputs) == 2
    (found,) = run.assessments
    assert found.level is Level.YELLOW
    assert found.evidence["re_mm"] == pytest.approx(86.10, abs=0.005)


def published(storm: str) -> tuple[datetime, datetime, dict[str, str]]:
    with (DATA / "rainfall_published.csv").open(encoding="utf-8", newline="") as file:
        (row,) = [row for row in csv.DictReader(file) if row["storm"] == storm]
    start, end = (datetime.fromisoformat(text + ":00+08:00") for text in row["period_local"].split("/"))
    names = list(row)
    return start, end, {name: row[name] for name in names[names.index("max_station_mm") + 1 :]}


def published_rain(bench: Bench, storm: str) -> tuple[str, dict[str, str]]:
    start, end, rain = published(storm)
    with bench.store.read() as work:
        codes = {area.name_zh: area.code for area in work.areas.all() if area.kind.value in ("county", "zone")}
    assert BULLETIN_UNITS.items() <= codes.items()
    rows = [(codes[name], start, end, mm, "observed") for name, mm in rain.items()]
    return bench.rain(f"{storm}.csv", rows), {code: name for name, code in codes.items() if name in rain}


def test_the_rain_published_after_the_event_is_classified_per_unit(bench: Bench, tmp_path: Path) -> None:
    bench.areas(*yantai(tmp_path))
    forecast, names = published_rain(bench, "S2")
    assert len(names) == 15
    run = bench.assess(forecast, 20, area_codes=["county", "zone"])
    levels = {names[one.area]: one.level for one in run.assessments}
    expected = {"莱州市": Level.YELLOW, "招远市": Level.BLUE, "龙口市": Level.BLUE, "蓬莱区": Level.BLUE}
    assert levels == {name: expected.get(name, Level.NONE) for name in names.values()}
    assert all(one.lower_bound for one in run.assessments)
    assert not any(one.evidence["stale"] for one in run.assessments)


def test_a_blank_unit_and_what_hangs_on_it_cannot_be_classified(bench: Bench, tmp_path: Path) -> None:
    bench.areas(*yantai(tmp_path))
    forecast, names = published_rain(bench, "S3")
    run = bench.assess(forecast, 24)
    unknown = {names[one.area] for one in run.assessments if one.level is None and one.area in names}
    assert unknown == {"莱山区", "高新区", "牟平区", "昆嵛区", "莱阳市"}
    by_area = {one.area: one for one in run.assessments}
    assert by_area["370612101"].level is None
    assert by_area["370612101"].evidence["from_parent"]["code"] == "370612"


def test_a_run_is_kept_whole_and_replayed_bit_for_bit(bench: Bench, tmp_path: Path) -> None:
    bench.areas(*yantai(tmp_path))
    forecast, _ = published_rain(bench, "S2")
    run = bench.assess(forecast, 20)
    with bench.store.read() as work:
        assert work.assessments.get(run.id) == run
        kept = work.rules.get(RULES.digest)
        assert kept is not None
        assert kept.text == RULES.text
        entry = work.ledger.entries()[-1]
    assert (entry.kind, entry.subject, entry.actor) == ("assessment.made", run.id, "tester")
    bench.moment += timedelta(days=9)
    found = replay(bench.store, bench.readers, bench.models, bench.folder / "raw", None, run.id)
    assert found.equal
    assert found.recomputed == run


def test_a_payload_that_changed_is_refused(bench: Bench, tmp_path: Path) -> None:
    bench.areas(square(tmp_path))
    forecast = bench.rain("r.csv", [("sq", START, START + 6 * HOUR, "80", "observed")])
    (payload,) = [path for path in (bench.folder / "raw").iterdir() if path.is_file()]
    payload.chmod(0o600)
    payload.write_bytes(payload.read_bytes() + b" ")
    with pytest.raises(Refused, match=r"ingest\.raw-changed"):
        bench.assess(forecast, 6)
    payload.unlink()
    with pytest.raises(Refused, match=r"ingest\.raw-missing"):
        bench.assess(forecast, 6)
    with bench.store.read() as work:
        assert work.assessments.latest() == ()


def test_the_default_window_begins_now_or_where_the_fields_do(bench: Bench, tmp_path: Path) -> None:
    bench.areas(square(tmp_path))
    noon = bench.moment.replace(minute=0)
    hourly = [("sq", noon + at * HOUR, noon + (at + 1) * HOUR, "1", "forecast") for at in range(-3, 30)]
    assert bench.assess(bench.rain("hourly.csv", hourly), 24).window.start == noon
    coarse = [("sq", noon + at * HOUR, noon + (at + 3) * HOUR, "1", "forecast") for at in range(-2, 30, 3)]
    assert bench.assess(bench.rain("coarse.csv", coarse), 24).window.start == noon - 2 * HOUR
    later = [("sq", noon + 5 * HOUR, noon + 29 * HOUR, "60", "forecast")]
    assert bench.assess(bench.rain("later.csv", later), 24).window.start == noon + 5 * HOUR


@pytest.mark.parametrize(
    ("more", "hours", "key"),
    [
        ({}, 0, "assess.window"),
        ({}, 25, "assess.window"),
        ({"area_codes": ["nowhere"]}, 6, "assess.unknown-areas"),
    ],
)
def test_what_cannot_be_asked_is_refused(
    bench: Bench, tmp_path: Path, more: dict[str, Any], hours: int, key: str
) -> None:
    bench.areas(square(tmp_path))
    forecast = bench.rain("r.csv", [("sq", START, START + 6 * HOUR, "80", "observed")])
    with pytest.raises(Refused) as refused:
        bench.assess(forecast, hours, **more)
    assert refused.value.key == key


def test_an_import_that_is_refused_leaves_nothing(bench: Bench, tmp_path: Path) -> None:
    good = square(tmp_path)
    bad = tmp_path / "bad.csv"
    bad.write_text("code,kind,name_zh,name_en,parent,lon,lat,population,class\nx,zone,区,Z,gone,,,,\n", "utf-8")
    with pytest.raises(Refused, match=r"areas\.unknown-parent"):
        bench.areas(good, bad)
    with bench.store.read() as work:
        assert work.areas.all() == ()
        assert work.ledger.head() is None
