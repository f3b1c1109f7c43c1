"""Writes a GRIB file for tests: `make_grib.py OUT` with a JSON list of {"set": {...}, "values": [...]} on stdin.

The template is a 3 x 2 regular grid, run 2026-07-22 12 UTC, total precipitation, edition 2, or 1 where "edition" says
so; `null` in values means missing, "packing" names one of eccodes' packings, "sample" another template of eccodes.
"""

import json
import os
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import eccodes  # type: ignore[import-untyped,unused-ignore]
import numpy as np

RUN = datetime(2026, 7, 22, 12)  # noqa: DTZ001
BASE = {
    "centre": 255, "significanceOfReferenceTime": 1, "productionStatusOfProcessedData": 0, "typeOfProcessedData": 1,
    "year": RUN.year, "month": RUN.month, "day": RUN.day, "hour": RUN.hour, "minute": 0, "second": 0,
    "Ni": 3, "Nj": 2, "iScansNegatively": 0, "jScansPositively": 0,
    "latitudeOfFirstGridPoint": 38000000, "longitudeOfFirstGridPoint": 120000000,
    "latitudeOfLastGridPoint": 37500000, "longitudeOfLastGridPoint": 121000000,
    "ijDirectionIncrementGiven": 1, "iDirectionIncrement": 500000, "jDirectionIncrement": 500000,
    "productDefinitionTemplateNumber": 8, "parameterCategory": 1, "parameterNumber": 8,
    "typeOfGeneratingProcess": 2, "generatingProcessIdentifier": 255, "typeOfFirstFixedSurface": 1,
    "numberOfTimeRange": 1, "typeOfStatisticalProcessing": 1, "typeOfTimeIncrement": 2,
}  # fmt: skip


# Edition 1 of the same; P1, P2, timeRangeIndicator and unitOfTimeRange make the interval
BASE_1 = {
    "centre": 7, "table2Version": 2, "indicatorOfParameter": 61, "generatingProcessIdentifier": 96,
    "dataDate": 20260722, "dataTime": 1200, "Ni": 3, "Nj": 2, "iScansNegatively": 0, "jScansPositively": 0,
    "latitudeOfFirstGridPoint": 38000, "longitudeOfFirstGridPoint": 120000,
    "latitudeOfLastGridPoint": 37500, "longitudeOfLastGridPoint": 121000,
    "iDirectionIncrement": 500, "jDirectionIncrement": 500, "unitOfTimeRange": 1, "timeRangeIndicator": 4,
}  # fmt: skip


def interval(start: int, end: int) -> dict[str, int]:
    """Keys of an interval in hours after the run."""
    last = RUN + timedelta(hours=end)
    parts = ("year", "month", "day", "hour", "minute", "second")
    return {f"{part}OfEndOfOverallTimeInterval": getattr(last, part) for part in parts} | {
        "indicatorOfUnitOfTimeRange": 1,
        "forecastTime": start,
        "indicatorOfUnitForTimeRange": 1,
        "lengthOfTimeRange": end - start,
    }


def message(spec: dict[str, Any]) -> bytes:
    """One encoded message."""
    edition = spec.get("edition", 2)
    handle = eccodes.codes_grib_new_from_samples(spec.get("sample", f"regular_ll_sfc_grib{edition}"))
    own = dict(spec.get("set", {}))
    base: dict[str, Any] = BASE if edition == 2 else BASE_1
    if "hours" in spec:
        first, last = spec["hours"]
        base = base | (interval(first, last) if edition == 2 else {"P1": first, "P2": last})
    if "sample" in spec:
        base = {key: base[key] for key in spec.get("keep", []) if key in base}
    if own.get("productDefinitionTemplateNumber") == 0:
        base = {key: base[key] for key in base if "OfTime" not in key and "numberOfTime" not in key}
        base = {key: base[key] for key in base if key != "typeOfStatisticalProcessing"}
    for key, value in (base | own).items():
        eccodes.codes_set(handle, key, value)
    if "values" in spec:
        values = np.array([np.nan if value is None else value for value in spec["values"]], dtype=float)
        if np.isnan(values).any():
            eccodes.codes_set(handle, "bitmapPresent", 1)
            eccodes.codes_set(handle, "missingValue", -9e33)
            values = np.where(np.isnan(values), -9e33, values)
        eccodes.codes_set(handle, "packingType", "grid_simple")
        if "bits" in spec:
            eccodes.codes_set(handle, "bitsPerValue", spec["bits"])
        elif spec.get("packing") != "grid_ieee":
            eccodes.codes_set(handle, "decimalPrecision", spec.get("decimals", 3))
        eccodes.codes_set_values(handle, values)
        if "packing" in spec:
            eccodes.codes_set(handle, "packingType", spec["packing"])
    for key, value in spec.get("afterwards", {}).items():
        eccodes.codes_set(handle, key, value)
    return bytes(eccodes.codes_get_message(handle))


Path(sys.argv[1]).write_bytes(b"".join(message(spec) for spec in json.load(sys.stdin)))
sys.stdout.flush()
os._exit(0)
