"""Reliability of a season report: what was said beside how often it happened, as plain values and rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from geowarn.domain.level import Level
from geowarn.domain.score import Outcome
from geowarn.domain.score_reliability import TENTHS, Chance, Share, brier, by_level, by_tenths, said_of
from geowarn.domain.score_units import Unit
from geowarn.pipeline.score import Report


def reliability_values(report: Report) -> dict[str, Any]:
    """`kind` "probability" (the model's own), "member-share" (of an ensemble, for `level`) or null: by level only."""
    kind, chances = _chances(report.units, report.lead_from)
    scores = brier(chances)
    return {
        "kind": kind,
        "level": report.lead_from.code if kind == "member-share" else None,
        "units": len(chances),
        "base_rate": sum(one.happened for one in chances) / len(chances) if chances else None,
        "brier": scores[0] if scores else None,
        "brier_reference": scores[1] if scores else None,
        "brier_skill": 1 - scores[0] / scores[1] if scores and scores[1] else None,
        "bins": [_bin(at, share) for at, share in enumerate(by_tenths(chances))] if kind else [],
        "by_level": {
            "assessed": _by_level(one.assessed for one in report.units),
            "issued": _by_level(report.issued_outcomes),
        },
    }


def _chances(units: Sequence[Unit], level: Level) -> tuple[str | None, list[Chance]]:
    """A model's own probability goes before the share of members; one season is told by one kind."""
    said = [(said_of(unit.evidence, level), bool(unit.events)) for unit in units]
    for at, kind in enumerate(("probability", "member-share")):
        chances = [Chance(value, happened) for both, happened in said if (value := both[at]) is not None]
        if chances:
            return kind, chances
    return None, []


def _bin(at: int, share: Share) -> dict[str, Any]:
    return {"low": at / TENTHS, "high": (at + 1) / TENTHS, "mean": share.mean, **_share(share)}


def _by_level(outcomes: Iterable[Outcome]) -> dict[str, dict[str, Any]]:
    found = by_level(outcomes)
    return {level.code if level is not None else "unknown": _share(share) for level, share in found.items()}


def _share(share: Share) -> dict[str, Any]:
    interval = share.interval
    counts = {"units": share.units, "with_events": share.with_events, "share": share.share}
    return {**counts, "wilson": list(interval) if interval else None}


def reliability_rows(values: Mapping[str, Any]) -> Iterator[tuple[object, ...]]:
    """The same as rows of the long table."""
    kind, level = values["kind"] or "", values["level"] or ""
    for name in ("units", "base_rate", "brier", "brier_reference", "brier_skill") if kind else ():
        yield "reliability", kind, level, name, values[name], None, None
    for one in values["bins"]:
        edges = f"{one['low']:g}-{one['high']:g}"
        for name in ("units", "with_events", "mean"):
            yield "reliability", kind, level, f"{edges} {name}", one[name], None, None
        yield "reliability", kind, level, f"{edges} share", one["share"], *(one["wilson"] or (None, None))
    for series, rows in values["by_level"].items():
        for code, row in rows.items():
            for name in ("units", "with_events"):
                yield "frequency", series, code, name, row[name], None, None
            yield "frequency", series, code, "share", row["share"], *(row["wilson"] or (None, None))
