"""exactextract and rasterstats on the same polygons and rain: `others.py FOLDER`, in the environment build/bench.

Prints one line of JSON with medians in seconds. Each gets what it likes best: exactextract all steps in one call,
rasterstats a list of dictionaries; both give the greatest and the mean value of each polygon.
"""

import json
import statistics
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

SAMPLE = 60  # polygons that rasterstats is timed on


def seconds(work: Callable[[], Any], times: int) -> float:
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def main(folder: Path) -> None:
    from exactextract import exact_extract
    from exactextract.raster import NumPyRasterSource
    from rasterio.transform import from_origin
    from rasterstats import zonal_stats

    facts = json.loads((folder / "scene.json").read_text())
    features = json.loads((folder / "polygons.json").read_text())
    stack = np.load(folder / "stack.npy", mmap_mode="r")
    west, north, step, ny, nx = (facts[name] for name in ("west", "north", "step", "ny", "nx"))
    box = {"xmin": west, "ymin": north - ny * step, "xmax": west + nx * step, "ymax": north}

    def exact(bands: Any) -> Any:
        sources = [NumPyRasterSource(band.reshape(ny, nx), name=f"b{at}", **box) for at, band in enumerate(bands)]
        return exact_extract(sources, features, ["max", "mean"])

    def windows() -> Any:
        return exact([stack[at : at + 24].sum(axis=0) for at in range(0, facts["steps"], 24)])

    found = windows()
    name = "b0_max" if "b0_max" in found[0]["properties"] else "max"
    transform = from_origin(west, north, step, step)
    band = np.ascontiguousarray(stack[0].reshape(ny, nx))
    few = features[:: max(len(features) // SAMPLE, 1)]
    one = seconds(lambda: zonal_stats(few, band, affine=transform, stats=["max", "mean"], nodata=-1), 1)
    print(
        json.dumps(
            {
                "exactextract": version("exactextract"),
                "rasterstats": version("rasterstats"),
                "exact_windows": seconds(windows, 3),
                "exact_steps": seconds(lambda: exact(list(stack)), 1),
                "raster_step": one / len(few) * len(features),
                "raster_polygons": len(few),
                "exact_max": [one["properties"][name] for one in found],
            }
        )
    )


main(Path(sys.argv[1]))
