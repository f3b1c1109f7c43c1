"""The decoding child: whatever happens in it ends there, and it neither sees nor outlives what it should not."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from geowarn.catalogue import explain
from geowarn.domain.errors import Refused
from geowarn.domain.rain import Payload
from geowarn.sources.grib import GribReader
from geowarn.sources.stored import Folder, extremes_of

GFS = Path(__file__).parents[1] / "data" / "forecasts" / "gfs-2p5deg-2011011012-f120-rain.grib2"


class Odd(GribReader):
    child = "odd_child"


@pytest.fixture
def refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Refused]:
    def of(source: str, seconds: int = 60) -> Refused:
        (tmp_path / "odd_child.py").write_text("import os, sys\nfrom geowarn.sources.decoding import *\n" + source)
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        with pytest.raises(Refused) as caught:
            Odd(seconds=seconds).read([Payload(GFS, GFS.name)])
        assert GFS.name in explain(caught.value, "en")
        assert GFS.name in explain(caught.value, "zh")
        return caught.value

    return of


def test_a_decoder_that_dies_takes_only_itself(refused: Callable[..., Refused]) -> None:
    refusal = refused("say('begin', 0, '#7')\nos.kill(os.getpid(), 11)\n")
    assert refusal.key == "decoding.crashed"
    assert (refusal.facts["place"], refusal.facts["reason"]) == ("#7", "SIGSEGV")


def test_a_decoder_that_hangs_is_stopped_and_leaves_no_orphan(refused: Callable[..., Refused], tmp_path: Path) -> None:
    place = tmp_path / "pid"
    refusal = refused(f"open({str(place)!r}, 'w').write(str(os.getpid()))\nimport time\ntime.sleep(600)\n", seconds=15)
    assert refusal.key == "decoding.timeout"
    with pytest.raises(ProcessLookupError):
        os.kill(int(place.read_text()), 0)


def test_a_decoder_that_grows_is_refused_for_its_memory(refused: Callable[..., Refused]) -> None:
    source = "def begin(files, limits):\n    return bytearray(limits['memory'] * 2)\nrun(begin)\n"
    assert refused(source).key == "decoding.memory"


def test_a_child_sees_none_of_our_secrets(refused: Callable[..., Refused], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GEOWARN_SMS__AUTH_TOKEN", "TWILIO_AUTH_TOKEN", "PGPASSWORD"):
        monkeypatch.setenv(name, "a-secret")
    found = "{'reason': sum(value == 'a-secret' for value in os.environ.values())}"
    assert refused(f"say('refused', 'decoding.crashed', {found})\n").facts["reason"] == 0


def test_a_child_dies_with_its_parent(tmp_path: Path) -> None:
    (tmp_path / "odd_child.py").write_text(
        "import os, sys, time\nfrom geowarn.sources.decoding import die_with\ndie_with(int(sys.argv[1]))\n"
        "open(os.environ['TMP'] + '/pid', 'w').write(str(os.getpid()))\ntime.sleep(600)\n"
    )
    parent = (
        "from geowarn.sources.child import Child\nfrom geowarn.sources.stored import Folder\n"
        "with Child('odd_child', {'limits': {'seconds': 600}}, Folder('x'), ['f']) as child:\n    child.describe()\n"
    )
    environment = os.environ | {"PYTHONPATH": str(tmp_path), "TMP": str(tmp_path)}
    process = subprocess.Popen([sys.executable, "-c", parent], env=environment)
    pid = tmp_path / "pid"
    while not (pid.is_file() and pid.read_text()):
        assert process.poll() is None
        time.sleep(0.05)
    process.kill()
    process.wait()
    child = int(pid.read_text())
    while _runs(child):
        time.sleep(0.05)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split(") ")[1][0] != "Z"
    except OSError:
        return False


def test_stored_numbers_are_loaded_each_time_and_go_with_the_last_who_holds_them() -> None:
    folder = Folder("test")
    stored = folder.keep(np.array([1.5, np.nan, 3.0], dtype=np.float32))
    place = folder.path
    assert (len(stored), stored[0], stored[-1], list(stored[1:])[1]) == (3, 1.5, 3.0, 3.0)
    assert np.asarray(stored).dtype == np.float32
    assert np.asarray(stored, dtype=np.float64).sum() is not None
    assert extremes_of(stored) == (1.5, 3.0)
    assert sum(1 for _ in stored) == 3
    del folder
    assert place.is_dir()
    del stored
    assert not place.exists()
