"""Each of the seventeen classic bugs of reading rain has a test that names it by its number."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
WHAT = {
    1: "totals from the start taken for increments, or buckets for totals",
    2: "two messages for one end time",
    3: "negative increments",
    4: "units that lie",
    5: "a mean rate over a bucket",
    6: "step 0",
    7: "step units, negative forecast times",
    8: "time zones",
    9: "Open-Meteo's days, nulls, threes, models and members",
    10: "the order of a grid",
    11: "missing values",
    12: "MICAPS",
    13: "the greatest of sums is not the sum of the greatest",
    14: "slivers and tiny areas",
    15: "partial downloads and late steps",
    16: "a run's age, a file published again",
    17: "decoders that crash",
}


def test_every_classic_bug_has_a_test_that_names_it() -> None:
    named = {
        int(number)
        for path in TESTS.rglob("test_*.py")
        for number in re.findall(r"^def test_bug_(\d+)_", path.read_text("utf-8"), re.MULTILINE)
    }
    assert named == set(WHAT), {number: what for number, what in WHAT.items() if number not in named}
