"""Makes GRIB files in a process of its own, so that no test process ever loads the decoder."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from geowarn.catalogue import explain
from geowarn.domain.errors import Refused
from geowarn.domain.rain import Payload, Reading
from geowarn.sources.grib import GribReader

MAKER = Path(__file__).parents[1] / "data" / "make_grib.py"
RUN = datetime(2026, 7, 22, 12, tzinfo=UTC)
Maker = Callable[..., Path]


def make(path: Path, *specs: dict[str, Any]) -> Path:
    command = [sys.executable, "-P", str(MAKER), str(path)]
    subprocess.run(command, input=json.dumps(specs).encode(), check=True, timeout=120)
    return path


def read(*paths: Path, reader: GribReader | None = None) -> Reading:
    return (reader or GribReader()).read([Payload(path, path.name) for path in paths])[0]


def refused(*paths: Path, reader: GribReader | None = None) -> Refused:
    with pytest.raises(Refused) as caught:
        read(*paths, reader=reader)
    for language in ("en", "zh"):
        line = explain(caught.value, language)
        assert any(path.name in line for path in paths)
        assert "\n" not in line
    return caught.value


def hours(reading: Reading, run: datetime = RUN) -> list[tuple[float, float]]:
    hour = timedelta(hours=1)
    return [((f.period.start - run) / hour, (f.period.end - run) / hour) for f in reading.fields]
