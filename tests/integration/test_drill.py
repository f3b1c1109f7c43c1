"""`geowarn drill`: a whole exercise in one command, its report, and its refusals."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from geowarn.bootstrap import open_system
from geowarn.domain.bulletin import Bulletin
from geowarn.domain.dispatch import DispatchState
from geowarn.domain.exercise import ExerciseStatus
from geowarn.domain.warning import Act, Series
from geowarn.pipeline.proof import verify


def drill(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    env = os.environ | {"LC_ALL": "C.UTF-8", "GEOWARN_LANG": "en"}
    command = [sys.executable, "-m", "geowarn", "drill", "--data", str(folder), *arguments]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=400, check=False)


def test_the_whole_exercise_in_one_command(demo_folder: Path) -> None:
    done = drill(demo_folder, "--auto", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout)
    assert (told["complete"], told["lacking"]) == (True, [])
    assert [step["step"] for step in told["steps"]] == [
        "started", "rang", "signed", "signed", "signed", "signed", "released", "ended", "told"
    ]  # fmt: skip
    assert {leg["channel"]: leg["targets"] for leg in told["channels"]} == {"broadcast": 1, "sms": 12, "website": 1}
    assert all(leg["delivered"] == leg["targets"] for leg in told["channels"])
    system = open_system(demo_folder)
    with system.store.read() as work:
        chain: tuple[Bulletin, ...] = work.bulletins.all()[::-1]
        (held,) = work.exercises.all()
        states = work.dispatches.counts(chain[0].id)
    assert [(b.series, b.act) for b in chain] == [(Series.EXERCISE, Act.ISSUE), (Series.EXERCISE, Act.CANCEL)]
    assert held.status is ExerciseStatus.ENDED
    assert states["sms"] == {DispatchState.DELIVERED: 12}
    assert verify(system.store)[1] is None
    assert not list((demo_folder / "public").rglob("ex-*"))
    system.store.dispose()


def test_in_an_installation_with_real_people_nobody_is_played_unasked(demo_folder: Path) -> None:
    settings = demo_folder / "geowarn.toml"
    settings.write_text(settings.read_text("utf-8").replace("synthetic = true", "synthetic = false"), "utf-8")
    done = drill(demo_folder, "--auto", "--confirm", "演练")
    assert done.returncode == 1
    assert "--with" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_an_unknown_scenario_is_refused(demo_folder: Path) -> None:
    done = drill(demo_folder, "--auto", "--scenario", "flood")
    assert done.returncode == 1
    assert "flood" in done.stderr
