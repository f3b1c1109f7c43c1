"""The command as a person types it: exit codes, one line on stderr, state unchanged after a refusal."""

from __future__ import annotations

import csv
import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.command_line import called

SAMPLES = Path(__file__).parents[1] / "data" / "forecasts"
GFS = SAMPLES / "gfs-2p5deg-2011011012-f120-rain.grib2"
RAINFALL = Path(__file__).parents[1] / "data" / "rainfall_published.csv"

Run = Callable[..., subprocess.CompletedProcess[str]]


def geowarn(*arguments: str, data: Path | None = None, text: str | None = None) -> subprocess.CompletedProcess[str]:
    env = {k: v for k, v in os.environ.items() if not k.startswith("GEOWARN_")} | {"LC_ALL": "C.UTF-8"}
    folder = ["--data", str(data)] if data else []
    return called(*arguments, *folder, text=text, environment=env)


def good(*arguments: str, data: Path | None = None, text: str | None = None) -> str:
    done = geowarn(*arguments, data=data, text=text)
    assert done.returncode == 0, done.stderr
    return done.stdout


def refused(*arguments: str, data: Path | None = None) -> str:
    done = geowarn(*arguments, data=data)
    assert done.returncode == 1, done.stdout + done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cli") / "office"
    good("init", str(folder))
    return folder


@pytest.fixture
def office(installed: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(installed, tmp_path / "office"))


def square(folder: Path) -> Path:
    file = folder / "square.geojson"
    ring = [[177.0, -20.5], [178.0, -20.5], [178.0, -19.5], [177.0, -19.5], [177.0, -20.5]]
    properties = {"code": "sq", "kind": "county", "name_zh": "方格", "name_en": "Square", "class": "high"}
    feature = {"type": "Feature", "properties": properties, "geometry": {"type": "Polygon", "coordinates": [ring]}}
    file.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    return file


def rain_csv(file: Path, rows: list[tuple[str, str, str, str, str]]) -> Path:
    with file.open("w", newline="") as out:
        csv.writer(out).writerows([("area", "start", "end", "mm", "kind"), *rows])
    return file


def test_init_makes_yantai_and_refuses_a_full_folder(installed: Path) -> None:
    counties = json.loads(good("areas", "list", "--kind", "county", "--json", data=installed))
    assert len(counties) == 11
    assert {c["class"] for c in counties} == {"medium", "low"}
    assert not any(c["surveyed"] for c in counties)
    assert "not empty" in refused("init", str(installed))
    assert "in order" in good("db", "check", data=installed)
    assert "in order" in good("config", "check", data=installed)
    assert "holds" in good("ledger", "verify", data=installed)


def test_the_noaa_sample_becomes_the_levels_published(office: Path, tmp_path: Path) -> None:
    good("areas", "import", str(square(tmp_path)), data=office)
    run = good("ingest", "grib", "--file", str(GFS), data=office).split()[0]
    at = ("--at", "2011-01-15T06:00Z", "--areas", "sq")
    assert " h old" in refused("assess", run, "--window", "6", *at, data=office)
    stale = ("--allow-stale", "exercise with an old file")
    alone = json.loads(good("assess", run, "--window", "6", *at, *stale, "--json", data=office))["areas"][0]
    assert (alone["level"], alone["lower_bound"]) == ("blue", True)
    observed = rain_csv(
        tmp_path / "observed.csv",
        [
            ("sq", "2011-01-14T12:00Z", "2011-01-15T06:00Z", "0", "observed"),
            ("sq", "2011-01-13T12:00Z", "2011-01-14T12:00Z", "30", "observed"),
        ],
    )
    good("ingest", "csv", "--file", str(observed), data=office)
    whole = json.loads(good("assess", run, "--window", "6", *at, *stale, "--json", data=office))["areas"][0]
    assert whole["level"] == "yellow"
    assert round(whole["evidence"]["re_mm"], 2) == 86.10
    assert "86.10" in whole["sentence_en"]
    assert "86.10" in whole["sentence_zh"]
    day = json.loads(good("assess", run, "--window", "24", *at, *stale, "--json", data=office))["areas"][0]
    assert day["level"] is None
    assert "18" in day["sentence_en"]


def published(storm: str) -> dict[str, str]:
    with RAINFALL.open(encoding="utf-8") as file:
        row = next(r for r in csv.DictReader(file) if r["storm"] == storm)
    return {k: v for k, v in row.items() if k.endswith(("区", "市"))}


def units(office: Path, names: dict[str, str]) -> dict[str, str]:
    """Unit name in the bulletins -> area code: counties by name, zones by what their names begin with."""
    areas = json.loads(good("areas", "list", "--json", data=office))
    short = {"高新区": "高新", "开发区": "开发", "昆嵛区": "昆嵛", "长岛综试区": "长岛"}
    codes = {}
    for name in names:
        kinds = ("zone",) if name in short else ("county",)
        wanted = short.get(name, name)
        codes[name] = next(a["code"] for a in areas if a["kind"] in kinds and wanted in a["name_zh"])
    return codes


def all_high(office: Path, tmp_path: Path) -> None:
    areas = json.loads(good("areas", "list", "--json", data=office))
    file = tmp_path / "high.csv"
    with file.open("w", newline="", encoding="utf-8") as out:
        columns = ["code", "kind", "name_zh", "name_en", "parent", "lon", "lat", "population", "class"]
        writer = csv.DictWriter(out, columns)
        writer.writeheader()
        for area in areas:
            if area["kind"] in ("county", "zone"):
                writer.writerow({**{c: area.get(c) or "" for c in columns}, "class": "high"})
    good("areas", "import", str(file), data=office)


def storm_levels(
    office: Path, tmp_path: Path, storm: str, start: str, end: str, hours: str
) -> dict[str, dict[str, object]]:
    rain = published(storm)
    codes = units(office, rain)
    rows = [(codes[name], start, end, mm, "observed") for name, mm in rain.items()]
    run = good("ingest", "csv", "--file", str(rain_csv(tmp_path / f"{storm}.csv", rows)), data=office).split()[0]
    chosen = ",".join(codes.values())
    found = json.loads(good("assess", run, "--window", hours, "--areas", chosen, "--json", data=office))
    by_code = {a["code"]: a for a in found["areas"]}
    return {name: by_code[code] for name, code in codes.items()}


def test_the_rain_published_for_29_august_classifies_every_unit(office: Path, tmp_path: Path) -> None:
    all_high(office, tmp_path)
    found = storm_levels(office, tmp_path, "S2", "2025-08-29T14:00+08:00", "2025-08-30T10:00+08:00", "20")
    assert len(found) == 15
    rank = ["none", "blue", "yellow", "orange", "red"]
    levels = {name: rank.index(str(a["level"])) for name, a in found.items()}
    assert levels.pop("莱州市") >= 2
    assert all(levels.pop(name) >= 1 for name in ("招远市", "龙口市", "蓬莱区"))
    assert set(levels.values()) == {0}
    assert all(a["lower_bound"] for a in found.values())


def test_units_without_a_value_cannot_be_classified(office: Path, tmp_path: Path) -> None:
    found = storm_levels(office, tmp_path, "S3", "2025-07-21T06:00+08:00", "2025-07-22T06:00+08:00", "24")
    blank = {name for name, mm in published("S3").items() if not mm}
    assert len(blank) == 5
    assert {name for name, a in found.items() if a["level"] is None} == blank


@pytest.mark.parametrize(
    ("reader", "name", "body"),
    [
        ("grib", "cut.grib2", None),
        ("grib", "page.grib2", b"<!doctype html><title>404</title>"),
        ("openmeteo", "page.json", b"<!doctype html><title>502 Bad Gateway</title>"),
        ("csv", "bad.csv", b"area,start,end,mm,kind\n370687,2026-07-01T00:00Z,2026-07-01T01:00Z,1o,observed\n"),
        ("csv", "who.csv", b"area,start,end,mm,kind\n999999,2026-07-01T00:00Z,2026-07-01T01:00Z,1,observed\n"),
        ("nothing", "x.csv", b"x"),
    ],
)
def test_a_broken_file_is_one_line_and_changes_nothing(
    office: Path, tmp_path: Path, reader: str, name: str, body: bytes | None
) -> None:
    file = tmp_path / name
    file.write_bytes(GFS.read_bytes()[:9000] if body is None else body)
    before = good("ledger", "verify", data=office), sorted(p.name for p in (office / "raw").iterdir())
    said = refused("ingest", reader, "--file", str(file), data=office)
    assert name in said or reader == "nothing"
    assert before == (good("ledger", "verify", data=office), sorted(p.name for p in (office / "raw").iterdir()))


def test_one_changed_byte_of_a_copied_ledger_is_named(office: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    source = sqlite3.connect(office / "geowarn.db")
    with sqlite3.connect(copy) as target:
        source.backup(target)
        target.execute("PRAGMA writable_schema = ON")
        for (name,) in target.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            target.execute(f"DROP TRIGGER {name}")
        target.execute("UPDATE ledger SET payload = replace(payload, '{', '{ ') WHERE sequence = 2")
    target.close()
    source.close()
    assert "entry 2" in refused("ledger", "verify", "--file", str(copy))
    assert "holds" in good("ledger", "verify", data=office)


def test_the_ledger_refuses_to_change(office: Path) -> None:
    with sqlite3.connect(office / "geowarn.db") as database:
        for statement in ("UPDATE ledger SET actor = 'x'", "DELETE FROM ledger"):
            with pytest.raises(sqlite3.DatabaseError):
                database.execute(statement)
    database.close()


def test_usage_mistakes_exit_with_two(office: Path) -> None:
    assert geowarn("warnings", "sign", "w-1", data=office).returncode == 2
    assert geowarn("nonsense").returncode == 2
    assert geowarn("--help").returncode == 0
    assert geowarn("--version").stdout.startswith("geowarn ")


def test_unknown_people_and_warnings_are_refused(office: Path) -> None:
    assert "nobody" in refused("warnings", "sign", "w-1", "--as", "nobody", data=office)
    assert "w-1" in refused("warnings", "show", "w-1", data=office)
    assert "no installation" in refused("areas", "list", data=office / "raw")
