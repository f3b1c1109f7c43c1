"""Damaged files of every kind are refused or taken in whole, within limits; `make fuzz` runs many more."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
READERS = ("cap", "csv", "grib", "micaps", "netcdf", "nws", "openmeteo")


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
    *counts, last = done.stdout.splitlines()
    assert last.endswith("0 findings")
    assert int(last.split()[0]) >= 240
    assert {count.split()[0] for count in counts} == set(READERS)
