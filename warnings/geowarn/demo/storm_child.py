"""Encodes the demo storm as GRIB 2, in a process of its own because ecCodes is kept out of ours.

Run by path: `storm_child.py FOLDER PATH` with FOLDER holding totals.npy (mm from the run's start, one row an hour,
cells row by row from the south-west) and facts.json; ends with 3 where eccodes is missing.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

NOT_INSTALLED = 3


def _fixed(facts: Mapping[str, Any]) -> dict[str, int]:
    """What every message says of run and grid."""
    lon0, lat0, lon1, lat1, step = facts["micro"]
    year, month, day, hour = facts["run"]
    return {
        "discipline": 0, "centre": 255, "significanceOfReferenceTime": 1,
        "year": year, "month": month, "day": day, "hour": hour, "minute": 0, "second": 0,
        "productionStatusOfProcessedData": 1,  # operational test products: never to be taken for a forecast
        "typeOfProcessedData": 1,
        "Ni": facts["nx"], "Nj": facts["ny"],
        "iScansNegatively": 0, "jScansPositively": 1, "jPointsAreConsecutive": 0, "alternativeRowScanning": 0,
        "latitudeOfFirstGridPoint": lat0, "longitudeOfFirstGridPoint": lon0,
        "latitudeOfLastGridPoint": lat1, "longitudeOfLastGridPoint": lon1,
        "ijDirectionIncrementGiven": 1, "iDirectionIncrement": step, "jDirectionIncrement": step,
        "productDefinitionTemplateNumber": 8, "parameterCategory": 1, "parameterNumber": 8,
        "typeOfGeneratingProcess": 2, "generatingProcessIdentifier": 255,
        "typeOfFirstFixedSurface": 1, "indicatorOfUnitOfTimeRange": 1, "forecastTime": 0,
        "numberOfTimeRange": 1, "typeOfStatisticalProcessing": 1, "typeOfTimeIncrement": 2,
        "indicatorOfUnitForTimeRange": 1,
    }  # fmt: skip


def _interval(run: Sequence[int], hours: int) -> dict[str, int]:
    end = datetime(*run) + timedelta(hours=hours)  # type: ignore[arg-type]  # noqa: DTZ001 - GRIB holds no zone
    parts = ("year", "month", "day", "hour", "minute", "second")
    return {f"{part}OfEndOfOverallTimeInterval": getattr(end, part) for part in parts} | {"lengthOfTimeRange": hours}


def main(folder: str, path: str) -> int:
    """Encode every hour, then write the file."""
    try:
        import eccodes  # type: ignore[import-untyped,unused-ignore]
    except (ImportError, RuntimeError, OSError):
        return NOT_INSTALLED
    facts = json.loads((Path(folder) / "facts.json").read_text("utf-8"))
    messages = []
    for hour, values in enumerate(np.load(Path(folder) / "totals.npy"), start=1):
        handle = eccodes.codes_grib_new_from_samples("regular_ll_sfc_grib2")
        for key, value in (_fixed(facts) | _interval(facts["run"], hour)).items():
            eccodes.codes_set(handle, key, value)
        eccodes.codes_set(handle, "packingType", "grid_simple")
        eccodes.codes_set(handle, "decimalPrecision", 4)
        eccodes.codes_set_values(handle, values)
        messages.append(eccodes.codes_get_message(handle))
        eccodes.codes_release(handle)
    Path(path).write_bytes(b"".join(messages))
    return 0


if __name__ == "__main__":
    code = main(*sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
