"""Writes the scene's rain as GRIB 2, CCSDS packing, one message an hour, in a process of its own: `OUT STEPS`."""

import os
import sys
from datetime import datetime, timedelta
from pathlib import Path

import eccodes  # type: ignore[import-untyped,unused-ignore]
import scene

RUN = datetime(2026, 7, 22, 12)  # noqa: DTZ001
PARTS = ("year", "month", "day", "hour", "minute", "second")


def head() -> dict[str, int]:
    grid = scene.GRID
    last = (grid.lat0 + (grid.ny - 1) * grid.dlat, grid.lon0 + (grid.nx - 1) * grid.dlon)
    return {
        "centre": 255, "significanceOfReferenceTime": 1, "productionStatusOfProcessedData": 1, "typeOfProcessedData": 1,
        "Ni": grid.nx, "Nj": grid.ny, "iScansNegatively": 0, "jScansPositively": 0,
        "latitudeOfFirstGridPoint": round(grid.lat0 * 1e6), "longitudeOfFirstGridPoint": round(grid.lon0 * 1e6),
        "latitudeOfLastGridPoint": round(last[0] * 1e6), "longitudeOfLastGridPoint": round(last[1] * 1e6),
        "ijDirectionIncrementGiven": 1, "iDirectionIncrement": 50000, "jDirectionIncrement": 50000,
        "productDefinitionTemplateNumber": 8, "parameterCategory": 1, "parameterNumber": 8,
        "typeOfGeneratingProcess": 2, "generatingProcessIdentifier": 255, "typeOfFirstFixedSurface": 1,
        "numberOfTimeRange": 1, "typeOfStatisticalProcessing": 1, "typeOfTimeIncrement": 2,
        "indicatorOfUnitOfTimeRange": 1, "indicatorOfUnitForTimeRange": 1, "lengthOfTimeRange": 1,
    } | {part: getattr(RUN, part) for part in PARTS}  # fmt: skip


def main(out: str, steps: int) -> None:
    with Path(out).open("wb") as file:
        for step, values in enumerate(scene.rain(steps)):
            end = RUN + timedelta(hours=step + 1)
            handle = eccodes.codes_grib_new_from_samples("regular_ll_sfc_grib2")
            times = {f"{part}OfEndOfOverallTimeInterval": getattr(end, part) for part in PARTS}
            for key, value in (head() | times | {"forecastTime": step}).items():
                eccodes.codes_set(handle, key, value)
            eccodes.codes_set(handle, "packingType", "grid_ccsds")
            eccodes.codes_set(handle, "decimalPrecision", 2)
            eccodes.codes_set_values(handle, values)
            file.write(eccodes.codes_get_message(handle))
            eccodes.codes_release(handle)


main(sys.argv[1], int(sys.argv[2]))
sys.stdout.flush()
os._exit(0)
