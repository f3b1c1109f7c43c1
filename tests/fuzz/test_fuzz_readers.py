"""Damaged files of every kind are refused or taken in whole, within limits; `make fuzz` runs many more."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]


@pytest.mark.slow
def test_no_damaged_file_gets_further_than_a_refusal() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.fuzz.run", "--cases", "240", "--seed", "1000"],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    last = done.stdout.splitlines()[-1]
    assert last.endswith("0 findings")
    assert int(last.split()[0]) >= 240
