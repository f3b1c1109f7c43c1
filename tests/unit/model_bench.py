"""Small grounds and hourly rain for the tests of the models beside the default."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from geowarn.domain.area import Area, AreaKind, Susceptibility
from geowarn.domain.assessment import Assessment
from geowarn.domain.period import Period
from geowarn.domain.rain import AreaUnits, Forecast, Grid, RainField, RainKind, Support
from geowarn.domain.rules import RuleSet
from geowarn.hazard.id_threshold import IdThreshold
from geowarn.hazard.jma_swi import JmaSwi
from geowarn.hazard.lhasa11 import Lhasa11
from geowarn.hazard.logistic import Logistic
from geowarn.hazard.rolling_multi import RollingMulti
from geowarn.pipeline.rules import load_rules
from geowarn.ports import HazardModel, Rain
from geowarn.resources import config_dir

NOON = datetime(2026, 7, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
GRID = Grid(lon0=0.5, lat0=0.5, dlon=1, dlat=1, nx=4, ny=4)
UNIT = AreaUnits(("a",))
MODELS: dict[str, HazardModel] = {
    one.name: one for one in (RollingMulti(), IdThreshold(), JmaSwi(), Lhasa11(), Logistic())
}
_FILLED: dict[str, dict[str, Any]] = {  # what the shipped file leaves to the user, and a spin-up that tests can afford
    "lhasa11": {"normal_mm": {"a": 20.0, "b": 20.0}},
    "jma-swi": {"spin_up_hours": 24, "split_intervals": False},
    "logistic": {
        "intercept": -4.0,
        "coefficients": {"r1h": 0.02, "r6h": 0.01, "re": 0.01, "swi": 0.01, "class": 0.5},
        "class_values": {"high": 3, "medium": 2, "low": 1, "very-low": 0},
        "k": 0.84,
        "antecedent_days": 2,
        "dt_minutes": 60,
        "spin_up_hours": 24,
        "outlets_mm": [15, 60, 15, 15],
        "outflow_per_hour": [0.10, 0.15, 0.05, 0.01],
        "seepage_per_hour": [0.12, 0.05, 0.01],
    },
}
Amounts = float | Sequence[float]


def rules(name: str, **changes: Any) -> RuleSet:
    """The shipped rule set of a model, filled in where it leaves something to the user, with these changes."""
    shipped = load_rules(config_dir() / "rules" / f"{name}.toml")
    return replace(shipped, parameters={**shipped.parameters, **_FILLED.get(name, {}), **changes})


def area(code: str = "a", terrain: Susceptibility = Susceptibility.HIGH, **more: Any) -> Area:
    """One county."""
    return Area(code, more.pop("kind", AreaKind.COUNTY), code, code, susceptibility=terrain, **more)


def box(west: float, south: float, east: float, north: float) -> dict[str, Any]:
    """A rectangle."""
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def field(start: float, end: float, mm: Amounts, support: Support = UNIT, **more: Any) -> RainField:
    """Forecast rain from `start` to `end`, hours from noon."""
    values = [float(mm)] * support.size if isinstance(mm, int | float) else [float(one) for one in mm]
    kind = more.pop("kind", RainKind.FORECAST)
    period = Period(NOON + start * HOUR, NOON + end * HOUR)
    return RainField(period, support, values, kind, more.pop("source", "s"), NOON, **more)


def seen(start: float, end: float, mm: Amounts, support: Support = UNIT, **more: Any) -> RainField:
    """The same, observed."""
    return field(start, end, mm, support, kind=RainKind.OBSERVED, **more)


def hourly(rain: Sequence[Amounts], first: int = 0, support: Support = UNIT, **more: Any) -> list[RainField]:
    """One field an hour from `first` on; observed before noon, forecast after."""
    kinds = [RainKind.OBSERVED if first + at < 0 else RainKind.FORECAST for at in range(len(rain))]
    return [
        field(first + at, first + at + 1, mm, support, kind=kind, **more)
        for at, (mm, kind) in enumerate(zip(rain, kinds, strict=True))
    ]


def dry_before(days: int, support: Support = UNIT) -> list[RainField]:
    """Hourly observations of nothing."""
    return [seen(hour, hour + 1, 0, support) for hour in range(-24 * days, 0)]


def assess(
    name: str,
    fields: Sequence[RainField],
    observed: Sequence[RainField] = (),
    areas: Sequence[Area] = (area(),),
    hours: float = 24,
    cache: Path | None = None,
    **changes: Any,
) -> tuple[Assessment, ...]:
    """One model over the window that begins at noon."""
    row = Forecast(
        id="f1",
        reader="none",
        source="model",
        file_name="f",
        payload_digest="0" * 64,
        received_at=NOON,
        run_time=NOON,
        coverage=Period(NOON, NOON + 72 * HOUR),
        fields=len(fields),
        kinds=frozenset({RainKind.FORECAST}),
        synthetic=False,
    )
    window = Period(NOON, NOON + hours * HOUR)
    rain = Rain(row, tuple(fields), tuple(observed))
    return MODELS[name].assess(areas, rain, window, rules(name, **changes), cache)


def one(name: str, fields: Sequence[RainField], observed: Sequence[RainField] = (), **more: Any) -> Assessment:
    """The first area's."""
    return assess(name, fields, observed, **more)[0]


def with_age(found: Assessment) -> Assessment:
    """As the line keeps it: the run's age is added there."""
    return replace(found, evidence={**found.evidence, "age_hours": 0.5, "stale": False})


def figures(evidence: Mapping[str, Any]) -> list[float]:
    """Every number in the evidence, for comparisons."""
    return [float(value) for value in evidence.values() if isinstance(value, int | float | np.floating)]
