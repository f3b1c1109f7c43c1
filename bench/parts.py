"""The parts of the benchmark, each run in a process of its own: what is timed are the very calls of `geowarn`."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import scene
from rss import Watch, resident

from geowarn.domain.area import Area
from geowarn.domain.period import Period
from geowarn.domain.rain import Forecast, Payload, RainField, RainKind, Reading
from geowarn.hazard.effrain_matrix import EffrainMatrix
from geowarn.hazard.places import Places
from geowarn.hazard.places import statistics as of_polygons
from geowarn.hazard.zonal import footprints
from geowarn.pipeline.rules import load_rules
from geowarn.ports import Rain
from geowarn.resources import config_dir
from geowarn.sources.grib import GribReader

RULES = load_rules(config_dir() / "rules" / "effrain-matrix.toml")
COVERAGE = float(RULES.parameters["min_coverage"])
TIMES = 3
Answer = dict[str, Any]


def median_ms(work: Callable[[], Any], times: int = TIMES) -> float:
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        taken.append(1000 * (time.perf_counter() - start))
    return statistics.median(taken)


def read(folder: Path, steps: int) -> Reading:
    (reading,) = GribReader().read([Payload(folder / f"rain-{steps}.grib2", f"rain-{steps}.grib2")])
    return reading


def rain_of(fields: tuple[RainField, ...]) -> Rain:
    run, last = fields[0].period.start, fields[-1].period.end
    coverage, kinds = Period(run, last), frozenset({RainKind.FORECAST})
    return Rain(
        Forecast("f1", "grib", "bench", "f", "0" * 64, run, run, coverage, len(fields), kinds, True), fields, ()
    )


def windows(fields: tuple[RainField, ...]) -> list[Period]:
    start, day = fields[0].period.start, timedelta(hours=24)
    return [Period(start + at * day, start + (at + 1) * day) for at in range(len(fields) // 24)]


def levels(model: EffrainMatrix, areas: tuple[Area, ...], fields: tuple[RainField, ...], cache: Path) -> list[Any]:
    found = model.levels(areas, rain_of(fields), windows(fields), RULES, cache)
    assert all(one is not None for one in found)
    return found


def weights(folder: Path, _: str) -> Answer:
    areas = scene.areas()
    built = median_ms(lambda: footprints(scene.GRID, areas, COVERAGE, folder / "cache"), 1)
    again = median_ms(lambda: footprints(scene.GRID, areas, COVERAGE, folder / "cache"), 1)
    zones = footprints(scene.GRID, areas, COVERAGE, folder / "cache")
    (kept,) = (folder / "cache").iterdir()
    polygons = [{"type": "Feature", "properties": {}, "geometry": dict(a.geometry)} for a in areas if a.geometry]
    (folder / "polygons.json").write_text(json.dumps(polygons))
    size = kept.stat().st_size / 2**20
    return {"built": built, "kept": again, "pairs": zones.weights.size, "file": size}


def stack(folder: Path, _: str) -> Answer:
    fields = read(folder, scene.STEPS).fields
    kept = np.lib.format.open_memmap(folder / "stack.npy", "w+", np.float32, (len(fields), scene.GRID.size))
    for at, field in enumerate(fields):
        kept[at] = np.asarray(field.values)
    kept.flush()
    return {"bytes": kept.nbytes, "over_50": float((kept[:24].sum(axis=0) >= 50).mean())}


def line(folder: Path, steps: str) -> Answer:
    """From the file to levels, with areas and weights at hand."""
    decode, whole, reads = [], [], 3
    with Watch() as watch:
        areas, model, cache = scene.areas(), EffrainMatrix(), folder / "cache"
        levels(model, areas, read(folder, int(steps)).fields, cache)
        before = resident()
        for _ in range(reads):
            start = time.perf_counter()
            reading = read(folder, int(steps))
            decoded = time.perf_counter()
            levels(model, areas, reading.fields, cache)
            decode.append(decoded - start)
            whole.append(time.perf_counter() - start)
            del reading
    ratio = statistics.median(w / d for w, d in zip(whole, decode, strict=True))
    facts = {"decode": 1000 * statistics.median(decode), "whole": 1000 * statistics.median(whole), "ratio": ratio}
    return facts | {"peak": watch.peak, "own": watch.own, "before": before}


def memory(folder: Path, _: str) -> Answer:
    """Everything after decoding, on a run that stands in memory."""
    values, areas, cache = np.load(folder / "stack.npy"), scene.areas(), folder / "cache"
    start, hour = read(folder, 24).fields[0].period.start, timedelta(hours=1)
    hours = [Period(start + at * hour, start + (at + 1) * hour) for at in range(len(values))]
    fields = tuple(
        RainField(one, scene.GRID, values[at], RainKind.FORECAST, "bench", start)  # type: ignore[arg-type]
        for at, one in enumerate(hours)
    )
    model = EffrainMatrix()
    found = levels(model, areas, fields, cache)
    places = Places(areas, COVERAGE, cache)
    index = places.index(scene.GRID)

    def steps() -> None:
        for field in fields:
            values = np.asarray(field.values)
            for segment in index.segments:
                of_polygons(segment, values.take(index.every_cell[segment.span], mode="clip"))
            values.take(index.every_cell[index.split :], mode="clip")

    one_read, products, per_step, ratios, step_ratios = [], [], [], [], []
    for _ in range(TIMES):
        one_read.append(median_ms(lambda: values.max(), 3))
        products.append(median_ms(lambda: levels(model, areas, fields, cache), 3))
        ratios.append(products[-1] / one_read[-1])
        per_step.append(median_ms(steps, 1))
        step_ratios.append(per_step[-1] / one_read[-1])
    assessed = time.perf_counter()
    chosen = model.assess(areas, rain_of(fields), windows(fields)[0], RULES, cache)
    evidence = time.perf_counter()
    for one in chosen[:500]:
        dict(one.evidence)
    told = time.perf_counter()
    mm = values[:24].sum(axis=0, dtype=np.float64)
    greatest = [of_polygons(one, mm[index.every_cell[one.span]])[0] for one in index.segments]
    return {
        "read": statistics.median(one_read),
        "windows": statistics.median(products),
        "windows_ratio": statistics.median(ratios),
        "steps": statistics.median(per_step),
        "steps_ratio": statistics.median(step_ratios),
        "assess": 1000 * (evidence - assessed),
        "evidence": 1000 * (told - evidence),
        "levels": np.bincount(np.maximum(found[0].level, 0), minlength=5).tolist(),
        "max": np.concatenate(greatest).tolist(),
    }
