"""Open-Meteo responses (JSON) from a file: `precipitation`, each value the sum of the step before its label.

What the response does not say is decided here and noted in the fields' quality:
- One location becomes a grid of one cell round the returned point. The cell's size is not in the response; it is
  taken as 0.1 degree, about 11 km. Several locations must form a regular grid, otherwise they are refused.
- There is no run time. The start of the first interval stands for it, the earliest moment the data claim.
- Labels are local by one `utc_offset_seconds` for the whole response, or `unixtime`, which is UTC. Where the named
  zone changes its clock among them they are refused.
- Columns with a model's name are a reading each, `part` the model; `_memberNN` are members, the plain column beside
  them is member 0. Hours are read where there are any, else quarters of an hour.
- Coarser models come as hours that repeat in threes or sixes: even shares of a longer total, valid as they stand.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geowarn.domain.errors import Refused
from geowarn.domain.notes import note
from geowarn.domain.period import Period
from geowarn.domain.rain import Grid, Payload, RainField, RainKind, Reading
from geowarn.sources.gates import check_range, only_file, read_text
from geowarn.sources.openmeteo_document import HOURLY, Document, Table

SPACING = 0.1  # degrees, of a single point
_SHARES = (6, 3)  # hours of coarser models' steps
_LEAST_DAY = 1.0  # mm; below, rounding hides what a daily sum could prove

Block = NDArray[np.float64]  # cells x steps


class OpenMeteoReader:
    """`geowarn.ports.Reader` for Open-Meteo JSON; `spacing` in degrees is taken for a single point."""

    name = "openmeteo"

    def __init__(self, *, spacing: float = SPACING, file_mebibytes: int = 64) -> None:
        self.spacing = spacing
        self.file_mebibytes = file_mebibytes

    def read(self, files: Sequence[Payload]) -> tuple[Reading, ...]:
        """One reading a model; raises Refused naming place in the document, value and reason."""
        payload = only_file(files, self.name)
        document = Document(payload.name, read_text(payload.path, payload.name, self.file_mebibytes))
        block, *unused = document.blocks()
        labels = document.labels(document.places[0], block)
        tables = [document.table(place, block, labels) for place in document.places]
        if any(set(table) != set(tables[0]) for table in tables):
            document.bad(f"{block.name}.precipitation", "members")
        grid, order = document.grid(self.spacing)
        notes = [note("sources.note-run-time-assumed", time=f"{labels[0].start:%Y-%m-%dT%H:%MZ}")]
        if len(document.places) == 1:
            notes.append(note("sources.note-spacing-assumed", degrees=f"{self.spacing:g}"))
        notes += [note("openmeteo.note-unused", table=other.name, used=block.name) for other in unused]
        ordered = [tables[index] for index in order]
        runs = _runs(ordered)
        if block is HOURLY:
            for run in runs.values():
                _refuse_repeated_totals(run, labels, document.places[order[0]], payload.name)
        readings = tuple(_readings(runs, labels, grid, notes, payload.name))
        if not readings:
            raise Refused("openmeteo.all-null", file=payload.name)
        return readings


def _runs(tables: Sequence[Table]) -> dict[str, dict[int | None, Block]]:
    """Values by model and member, members in order."""
    runs: dict[str, dict[int | None, Block]] = {}
    for column in sorted(tables[0], key=lambda one: (one.model, -1 if one.member is None else one.member)):
        values = np.array([table[column] for table in tables], dtype=np.float64)
        runs.setdefault(column.model, {})[column.member] = values
    return runs


def _readings(
    runs: Mapping[str, Mapping[int | None, Block]],
    labels: Sequence[Period],
    grid: Grid,
    notes: Sequence[str],
    file_name: str,
) -> Iterator[Reading]:
    """One reading a model; a model that has nothing but nulls here is left out and named."""
    silent = [model for model, run in runs.items() if all(np.isnan(values).all() for values in run.values())]
    left_out = [note("openmeteo.note-silent", model=model) for model in silent if model]
    for model, run in runs.items():
        if model in silent:
            continue
        source = f"Open-Meteo {model}".strip()
        quality = (*notes, *left_out, *_share_note(run, labels))
        fields: list[RainField] = []
        for member, values in run.items():
            series = [(period, values[:, step]) for step, period in enumerate(labels)]
            check_range(series, grid, file_name)
            for period, column in series:
                mm = tuple(float(value) for value in column)
                args = (RainKind.FORECAST, source, labels[0].start, member, quality)
                fields.append(RainField(period, grid, mm, *args))
        yield Reading(tuple(fields), source, labels[0].start, notes=quality, part=model)


def _share_note(run: Mapping[int | None, Block], labels: Sequence[Period]) -> tuple[str, ...]:
    """From which hour on all rain of all members comes in equal threes or sixes, aligned to the UTC day."""
    if labels[0].hours != 1:
        return ()
    values = np.concatenate(list(run.values()))
    for hours in _SHARES:
        skip = -labels[0].start.hour % hours
        groups = values[:, skip : skip + (values.shape[1] - skip) // hours * hours].reshape(len(values), -1, hours)
        wet = (np.nan_to_num(groups) > 0).any(axis=(0, 2))
        equal = (groups == groups[:, :, :1]).all(axis=2) | np.isnan(groups).all(axis=2)
        alike = equal.all(axis=0)
        first = int(np.flatnonzero(~alike)[-1]) + 1 if not alike.all() else 0
        if wet[first:].sum() >= 3:  # one or two may be chance
            start = labels[skip + first * hours].start
            return (note("openmeteo.note-shares", hours=hours, start=f"{start:%Y-%m-%dT%H:%MZ}"),)
    return ()


def _refuse_repeated_totals(
    run: Mapping[int | None, Block], labels: Sequence[Period], place: Mapping[str, Any], file_name: str
) -> None:
    """A day whose hours sum to thrice its own `daily.precipitation_sum` holds 3-hourly totals written three times."""
    days = _daily_sums(place)
    hours = run.get(None, run.get(0))
    if hours is None or not days:
        return
    offset = timedelta(seconds=place["utc_offset_seconds"])
    sums: dict[str, list[float]] = {}
    for step, period in enumerate(labels):
        sums.setdefault(f"{period.end + offset:%Y-%m-%d}", []).append(float(hours[0, step]))
    for day, values in sums.items():
        total, daily = sum(values), days.get(day, 0.0)
        if len(values) != 24 or not total > 0 or daily < _LEAST_DAY:
            continue
        for share in _SHARES:
            if abs(total / daily - share) < 0.1:
                facts = {"day": day, "hourly": f"{total:.1f}", "daily": f"{daily:.1f}", "hours": share}
                raise Refused("openmeteo.repeated-total", file=file_name, **facts)


def _daily_sums(place: Mapping[str, Any]) -> dict[str, float]:
    """`daily.precipitation_sum` by day as labelled; a day is the labels 00 to 23, not the interval of a day."""
    daily = place.get("daily")
    if not isinstance(daily, dict):
        return {}
    days, sums = daily.get("time"), daily.get("precipitation_sum")
    if not isinstance(days, list) or not isinstance(sums, list) or len(days) != len(sums):
        return {}
    return {str(day): float(mm) for day, mm in zip(days, sums, strict=True) if isinstance(mm, int | float)}
