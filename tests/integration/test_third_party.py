"""A source and a model from another distribution, installed and found by entry points; a broken one stops nothing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

SAMPLE = Path(__file__).parents[1] / "data" / "sample_distribution"
BROKEN_PROJECT = """
[build-system]
requires = ["hatchling>=1.27"]
build-backend = "hatchling.build"
[project]
name = "geowarn-broken"
version = "0.1"
[project.entry-points."geowarn.models"]
gone = "geowarn_broken:Gone"
halting = "geowarn_broken.halting:Halting"
effrain-matrix = "geowarn_broken.halting:Halting"
[tool.hatch.build.targets.wheel]
only-include = ["geowarn_broken"]
"""
HALTING = """
class Halting:
    name = "halting"
    def check(self, rules): pass
    def history_hours(self, rules): return 24
    def assess(self, areas, rain, window, rules, cache): raise RuntimeError("no licence key")
"""


def install(source: Path, target: Path) -> None:
    """Build and unpack a distribution without any index; its build folder is a copy, so that the tree stays clean."""
    copy = target.parent / f"{target.name}-source"
    shutil.copytree(source, copy)
    options = ["--quiet", "--no-index", "--no-build-isolation", "--no-deps", "--disable-pip-version-check"]
    command = [sys.executable, "-m", "pip", "install", *options, "--target", str(target), str(copy)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def geowarn(data: Path, target: Path, *arguments: str, also: str = "[]") -> subprocess.CompletedProcess[str]:
    env = {k: v for k, v in os.environ.items() if not k.startswith("GEOWARN_")}
    env |= {"LC_ALL": "C.UTF-8", "PYTHONPATH": str(target), "GEOWARN_HAZARD__ALSO": also}
    command = [sys.executable, "-m", "geowarn", *arguments, "--data", str(data)]
    return subprocess.run(command, capture_output=True, text=True, env=env, timeout=120, check=False)


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("sample") / "target"
    install(SAMPLE, target)
    return target


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory, sample: Path) -> Path:
    """An installation with one area and the third party's rule file, and nothing of theirs in the environment."""
    folder = tmp_path_factory.mktemp("third") / "office"
    env = {k: v for k, v in os.environ.items() if not k.startswith("GEOWARN_")}
    subprocess.run([sys.executable, "-m", "geowarn", "init", str(folder)], env=env, check=True, capture_output=True)
    areas = folder.parent / "areas.csv"
    areas.write_text("code,kind,name_zh,name_en,parent,lon,lat,population,class\nzz,zone,试区,Zone,,,,,high\n", "utf-8")
    done = geowarn(folder, sample, "areas", "import", str(areas))
    assert done.returncode == 0, done.stderr
    (folder / "config" / "rules").mkdir(exist_ok=True)
    shutil.copy(sample / "wettest-interval.toml", folder / "config" / "rules")
    return folder


def lines(folder: Path, name: str, extra: str = "") -> Path:
    """A file of the third party's source: 24 hours of rain from the present hour on."""
    start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    rows = [f"zz {(start + timedelta(hours=at)).isoformat()} 1 {30 if at == 5 else 1}" for at in range(24)]
    file = folder / name
    file.write_text("\n".join([*rows, extra]), "utf-8")
    return file


def test_a_source_and_a_model_of_a_third_party_work_as_ours_do(office: Path, sample: Path, tmp_path: Path) -> None:
    taken = geowarn(office, sample, "ingest", "gauge-lines", "--file", str(lines(tmp_path, "rain.txt")))
    assert taken.returncode == 0, taken.stderr
    forecast, also = taken.stdout.strip(), '["wettest-interval", "rolling-multi"]'
    run = geowarn(office, sample, "assess", forecast, "--areas", "zz", "--json", also=also)
    assert run.returncode == 0, run.stderr
    found: dict[str, Any] = json.loads(run.stdout)
    others = {one["model"]: one for one in found["others"]}
    assert others["wettest-interval"]["levels"] == [{"code": "zz", "level": "yellow", "lower_bound": False}]
    assert set(others) == {"wettest-interval", "rolling-multi"}
    again = geowarn(office, sample, "replay", others["wettest-interval"]["id"])
    assert again.returncode == 0, again.stderr
    alone = geowarn(office, sample, "assess", forecast, "--areas", "zz", "--model", "wettest-interval", "--json")
    (area,) = json.loads(alone.stdout)["areas"]
    assert (area["level"], area["sentence_zh"]) == ("yellow", "最大单段雨量 30 mm。")
    rules = geowarn(office, sample, "rules", "check", str(sample / "wettest-interval.toml"))
    assert rules.returncode == 0, rules.stderr
    assert geowarn(office, sample, "config", "check", also=also).returncode == 0


def test_a_refusal_of_a_third_party_is_said_in_its_words(office: Path, sample: Path, tmp_path: Path) -> None:
    bad = geowarn(office, sample, "ingest", "gauge-lines", "--file", str(lines(tmp_path, "bad.txt", "zz soon 1 2")))
    assert bad.returncode == 1
    assert bad.stderr.startswith("bad.txt, line 25: not `area start hours mm`")


def test_a_reader_of_a_third_party_takes_options(office: Path, sample: Path, tmp_path: Path) -> None:
    file = str(lines(tmp_path, "thirds.txt"))
    taken = geowarn(office, sample, "ingest", "gauge-lines", "--file", file, "--option", "unit=cm", "--json")
    assert taken.returncode == 0, taken.stderr
    found = geowarn(office, sample, "assess", json.loads(taken.stdout)["id"], "--areas", "zz", "--json")
    (area,) = json.loads(found.stdout)["areas"]
    assert area["evidence"]["window_mm"] == 530  # 53 cm
    wrong = geowarn(office, sample, "ingest", "gauge-lines", "--file", file, "--option", "unit=inch")
    assert "'unit' is 'inch', which cannot be used. It takes: mm, cm" in wrong.stderr


def test_broken_parts_are_named_and_stop_nothing(office: Path, sample: Path, tmp_path: Path) -> None:
    source, target = tmp_path / "broken", tmp_path / "target"
    (source / "geowarn_broken").mkdir(parents=True)
    (source / "pyproject.toml").write_text(BROKEN_PROJECT, "utf-8")
    (source / "geowarn_broken" / "halting.py").write_text(HALTING, "utf-8")
    install(source, target)
    for name in ("gone", "halting"):
        text = f'name = "{name}"\nversion = "1"\nmodel = "{name}"\ncalibrated = true\nsources = []\n[parameters]\n'
        (office / "config" / "rules" / f"{name}.toml").write_text(text, "utf-8")
    check = geowarn(office, target, "config", "check")
    assert check.returncode == 1
    assert "geowarn.models gone (geowarn-broken: " in check.stderr
    assert "geowarn.models effrain-matrix (geowarn-broken: the name is taken)" in check.stderr
    assert len(check.stderr.strip().splitlines()) == 1
    hourly = geowarn(office, sample, "ingest", "gauge-lines", "--file", str(lines(tmp_path, "more.txt", "\n")))
    assert hourly.returncode == 0, hourly.stderr
    both = f"{target}{os.pathsep}{sample}"
    forecast, also = hourly.stdout.strip(), '["gone", "halting", "rolling-multi"]'
    run = geowarn(office, Path(both), "assess", forecast, "--areas", "zz", "--json", also=also)
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout)
    assert found["model"] == "effrain-matrix"
    assert found["areas"][0]["level"] == "blue", "ours decides, although a third party claims its name"
    others = {one["model"]: one for one in found["others"]}
    assert "geowarn-broken" in others["gone"]["refused"]["zh"]
    assert "no licence key" in others["halting"]["refused"]["en"]
    assert "levels" in others["rolling-multi"]
