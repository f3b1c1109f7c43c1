"""A season report as plain values (JSON, pages) and as rows for a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from geowarn.domain.level import Level
from geowarn.domain.score import RATES, Table, measures, wilson
from geowarn.domain.score_edumap import hours_of, indicators
from geowarn.domain.score_times import Lead, summary
from geowarn.domain.score_units import Event
from geowarn.pipeline.score import Counted, Report
from geowarn.pipeline.score_said import reliability_rows, reliability_values

CSV_COLUMNS = ("section", "series", "level", "measure", "value", "low", "high")
COUNTS = ("hits", "false_alarms", "misses", "correct_negatives")


def values_of(report: Report) -> dict[str, Any]:
    """Everything the report says as plain JSON; undefined scores are null, hours are area-hours."""
    return {
        "unit": report.unit,
        "zone": report.zone,
        "period": {"start": report.period.start.isoformat(), "end": report.period.end.isoformat()},
        "made_at": report.made_at.isoformat(),
        "areas": [{"code": a.code, "name_zh": a.name_zh, "name_en": a.name_en} for a in report.areas],
        "rules": list(report.rules),
        "synthetic": report.synthetic,
        "calibrated": report.calibrated,
        "counts": _counts(report),
        "assessed": _counted(report.assessed),
        "issued": _counted(report.issued),
        "assessed_by_issued": {
            _code(row): {level.code: count for level, count in cells.items()} for row, cells in report.crossed.items()
        },
        "reliability": reliability_values(report),
        "edumap": _edumap(report),
        "leads": _leads(report),
        "area_hours": {
            "total": report.area_hours,
            "by_level": {level.code: hours for level, hours in report.hours.items()},
        },
        "human": {"bulletins": report.bulletins, "dismissed": report.dismissed, "by_hand": report.by_hand},
        "outside": [_event(event) for event in report.outside],
    }


def csv_of(values: Mapping[str, Any]) -> str:
    """The report as one long table with a line per number; an undefined value is an empty cell."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(CSV_COLUMNS)
    for row in _rows(values):
        writer.writerow(["" if cell is None else cell for cell in row])
    return out.getvalue()


def _code(level: Level | None) -> str:
    return "unknown" if level is None else level.code


def _counts(report: Report) -> dict[str, int]:
    units = report.units
    return {
        "runs": report.runs,
        "units": len(units),
        "classified": sum(one.level is not None for one in units),
        "lower_bounds": sum(one.lower_bound and one.level is not None for one in units),
        "late": sum(one.late for one in units),
        "hindcast": sum(one.hindcast for one in units),
        "unfinished": report.unfinished,
        "with_events": sum(bool(one.events) for one in units),
        "events": len(report.events),
        "outside": len(report.outside),
        "beyond": report.beyond,
        "events_unclassified": sum(len(one.events) for one in units if one.level is None),
    }


def _counted(counted: Counted) -> dict[str, dict[str, Any]]:
    return {
        "exactly": {level.code: _table(table) for level, table in counted.exact.items()},
        "at_least": {level.code: _table(table) for level, table in counted.cumulative.items()},
    }


def _table(table: Table) -> dict[str, Any]:
    intervals = {name: wilson(*counts(table)) for name, counts in RATES.items()}
    return asdict(table) | measures(table) | {"wilson": {name: both and list(both) for name, both in intervals.items()}}


def _edumap(report: Report) -> dict[str, Any]:
    criteria, matrix = report.criteria, report.matrix
    return {
        "classes": list(criteria.classes),
        "quiet_hours": criteria.quiet_hours,
        "step_hours": criteria.step_hours,
        "lead_hours": criteria.lead_hours,
        "hours": {level.code: list(matrix[level]) for level in Level},
        "kinds": {level.code: list(criteria.kinds[level]) for level in Level},
        "grades": {level.code: list(criteria.grades[level]) for level in Level},
        "hours_by_kind": hours_of(matrix, criteria.kinds),
        "hours_by_grade": hours_of(matrix, criteria.grades),
        "indicators": indicators(matrix, criteria),
    }


def _leads(report: Report) -> dict[str, Any]:
    found = asdict(summary(report.leads))
    warned = found["warned"]
    shares = {name: found[name] / warned if warned else None for name in ("under_an_hour", "negative")}
    return {
        "from": report.lead_from.code,
        **found,
        "under_an_hour_share": shares["under_an_hour"],
        "negative_share": shares["negative"],
        "each": [_lead(lead) for lead in report.leads],
    }


def _lead(lead: Lead) -> dict[str, Any]:
    return {**_event(lead.event), "least": lead.least, "most": lead.most}


def _event(event: Event) -> dict[str, Any]:
    times = {"time": event.start.isoformat(), "time_end": event.end.isoformat()}
    return {"area": event.area, **times, "kind": event.kind, "size": event.size, "source": event.source}


def _rows(values: Mapping[str, Any]) -> Iterator[tuple[object, ...]]:
    for name, count in values["counts"].items():
        yield "counts", values["unit"], "", name, count, None, None
    for series in ("assessed", "issued"):
        for mode, tables in values[series].items():
            for level, table in tables.items():
                for name in (*COUNTS, *(key for key in table if key not in (*COUNTS, "wilson"))):
                    low, high = table["wilson"].get(name) or (None, None)
                    yield mode, series, level, name, table[name], low, high
    for row, cells in values["assessed_by_issued"].items():
        for level, count in cells.items():
            yield "assessed_by_issued", row, level, "units", count, None, None
    yield from reliability_rows(values["reliability"])
    edumap = values["edumap"]
    for level, hours in edumap["hours"].items():
        for number, value in enumerate(hours):
            yield "edumap", edumap["kinds"][level][number], level, f"class_{number}_hours", value, None, None
    for name, value in edumap["indicators"].items():
        yield "edumap", "indicators", "", name, value, None, None
    leads = values["leads"]
    for name in ("events", "warned", "median", "median_most", "tenth", "tenth_most", "under_an_hour", "negative"):
        yield "leads", "", leads["from"], name, leads[name], None, None
    for one in leads["each"]:
        yield "lead", one["area"], leads["from"], one["time"], None, one["least"], one["most"]
    for level, hours in values["area_hours"]["by_level"].items():
        yield "area_hours", "issued", level, "hours", hours, None, None
    yield "area_hours", "all", "", "hours", values["area_hours"]["total"], None, None
