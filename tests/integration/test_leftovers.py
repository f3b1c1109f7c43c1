"""What time clears away: taken files after their days, what a killed process left half done, and nothing else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from geowarn.pipeline.leftovers import remove_half_done, remove_taken
from geowarn.sources.stored import Folder, remove_abandoned

NOW = datetime.now(UTC)


def put(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    os.utime(path, (0, 0))  # the producer's clock says nothing about when it was taken in
    return path


def test_taken_files_are_kept_for_their_days_and_a_run_as_a_whole(tmp_path: Path) -> None:
    one = put(tmp_path / "taken" / "20260723T000000-a.grib2")
    run = [put(tmp_path / "taken" / "observatory" / "run-2026072300" / name) for name in ("a.000", "b.000")]
    waiting, refused = put(tmp_path / "observatory" / "c.grib2"), put(tmp_path / "refused" / "d.grib2")
    assert remove_taken(tmp_path, NOW + timedelta(days=13), 14) == 0
    assert all(file.exists() for file in (one, *run))
    assert remove_taken(tmp_path, NOW + timedelta(days=15), 14) == 3
    assert not any(file.exists() for file in (one, run[0].parent))
    assert waiting.exists()
    assert refused.exists()


def test_what_was_left_half_done_goes_after_a_day(tmp_path: Path) -> None:
    raw, fetched = tmp_path / "raw", tmp_path / "fetched"
    copy, errand, kept = put(raw / ".incoming-x"), put(fetched / "fetched-y" / "f"), put(raw / "0123")
    assert remove_half_done(raw, fetched, NOW + timedelta(hours=23)) == 0
    assert remove_half_done(raw, fetched, NOW + timedelta(hours=25)) == 2
    assert not copy.exists()
    assert not errand.parent.exists()
    assert kept.exists()


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def test_folders_of_a_killed_process_are_removed_and_no_others(place: Path) -> None:
    code = (
        "import sys, time; from geowarn.sources.stored import Folder\n"
        "folder = Folder('grib'); print(folder.path, flush=True); time.sleep(600)"
    )
    env = {**os.environ, "TMPDIR": str(place)}
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=env) as killed:
        assert killed.stdout is not None
        theirs = Path(killed.stdout.readline().strip())
        ours = Folder("grib")
        later = time.time() + 3600
        assert remove_abandoned(later) == 0, "both are in use"
        killed.send_signal(signal.SIGKILL)
        killed.wait()
    assert theirs.is_dir()
    assert remove_abandoned(time.time()) == 0, "too young to tell"
    assert remove_abandoned(later) == 1
    assert not theirs.exists()
    assert ours.path.is_dir()
