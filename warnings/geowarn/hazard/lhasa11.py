"""`lhasa11`: the seven-day antecedent rainfall index against its own climate, times susceptibility (NASA LHASA 1.1).

Needs the local 95th percentile of the index: `[parameters.normal_mm]` by area code, or a CSV file `area,mm` named in
the rule set with its SHA-256; an area without one of its own takes its parent's. Where there is none an area cannot be
classified (reason `no-climatology`). Common evidence: `geowarn.hazard.hourly_evidence`; its own figures:

ari_mm, normal_mm, normal_of                 the index, its 95th percentile, and the code of the area that gave it
days_mm, weights                             daily totals newest first, and the weights whose sum divides
outcome "none" | "moderate" | "high"         LHASA's decision
lhasa_susceptibility                         the terrain on LHASA's scale of 1 to 5
to_next_mm, over_own_mm                      mm of the index to the 95th percentile, and over it
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from geowarn.domain.area import Area
from geowarn.domain.ari import AriRules, ari, decide, read_parameters, weights
from geowarn.domain.assessment import Assessment
from geowarn.domain.errors import Refused
from geowarn.domain.level import Level
from geowarn.domain.period import Period
from geowarn.domain.rules import RuleSet
from geowarn.domain.unread import why
from geowarn.hazard.hourly_areas import Needs, Place, assess_areas
from geowarn.hazard.hourly_evidence import Verdict
from geowarn.hazard.zonal import Numbers
from geowarn.ports import Rain

FIGURES = (
    "ari_mm",
    "normal_mm",
    "normal_of",
    "days_mm",
    "weights",
    "outcome",
    "lhasa_susceptibility",
    "to_next_mm",
    "over_own_mm",
)
_LARGEST = 10_000_000  # bytes


class Lhasa11:
    """`geowarn.ports.HazardModel` of Kirschbaum & Stanley 2018."""

    name = "lhasa11"

    def check(self, rules: RuleSet) -> None:
        """Raise Refused when a parameter does not fit or the file it names is not the one meant."""
        normals(read_parameters(rules.parameters))

    def history_hours(self, rules: RuleSet) -> int:
        """The days of the index."""
        return 24 * read_parameters(rules.parameters).days

    def assess(
        self, areas: Sequence[Area], rain: Rain, window: Period, rules: RuleSet, cache: Path | None
    ) -> tuple[Assessment, ...]:
        """One assessment per area in the order given."""
        return assess_areas(_Method(read_parameters(rules.parameters)), areas, rain, window, rules, cache)


class _Method:
    """`hourly_areas.Method`."""

    figures: Sequence[str] = FIGURES

    def __init__(self, rules: AriRules) -> None:
        self.rules, self.areas, self.normals = rules, rules.areas, normals(rules)
        self.needs = Needs(days=rules.days - 1)

    def lack(self, codes: Sequence[str]) -> str | None:
        """An area whose climate is unknown has no level."""
        return None if any(code in self.normals for code in codes) else "no-climatology"

    def told_by(self, codes: Sequence[str]) -> str:
        """Whose climate it is."""
        return next(code for code in codes if code in self.normals)

    def scores(self, series: Numbers, first_inside: int, days: Numbers) -> Numbers:
        """The index in mm."""
        shares = np.array(weights(self.rules.days, self.rules.exponent))
        return np.asarray(shares @ days / shares.sum(), dtype=np.float64)

    def judge(self, area: Area, codes: Sequence[str], place: Place) -> Verdict:
        """The level at one cell."""
        rules, of = self.rules, self.told_by(codes)
        normal, index, scale = self.normals[of], ari(place.days, rules.exponent), rules.scale[area.susceptibility]
        outcome = decide(index, normal, scale)
        reachable = self._level(decide(np.inf, normal, scale))
        level = self._level(outcome)
        facts = {
            "own_level": level.code,
            "next_level": reachable.code if level < reachable else None,
            "previous_level": Level.NONE.code if level else None,
            "ari_mm": index,
            "normal_mm": normal,
            "normal_of": of,
            "days_mm": list(place.days),
            "weights": list(weights(rules.days, rules.exponent)),
            "outcome": outcome,
            "lhasa_susceptibility": scale,
            "to_next_mm": normal - index if level < reachable else None,
            "over_own_mm": index - normal if level else None,
        }
        return Verdict(level, facts)

    def _level(self, outcome: str) -> Level:
        return {"none": Level.NONE, "moderate": self.rules.moderate, "high": self.rules.high}[outcome]


def normals(rules: AriRules) -> Mapping[str, float]:
    """The 95th percentile in mm by area code, the rule set's own table before the file; raises Refused."""
    if not rules.normal_file:
        return rules.normal_mm
    path = Path(rules.normal_file)
    try:
        data = path.read_bytes() if path.stat().st_size <= _LARGEST else b""
    except OSError as error:
        raise Refused("models.normal-unreadable", file=path.name, reason=why(error)) from None
    digest = hashlib.sha256(data).hexdigest()
    if digest != rules.normal_sha256:
        raise Refused("models.normal-changed", file=path.name, found=digest, wanted=rules.normal_sha256)
    return {**_rows(data, path.name), **rules.normal_mm}


def _rows(data: bytes, name: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for line, row in enumerate(csv.DictReader(io.StringIO(data.decode("utf-8-sig", "replace"))), start=2):
        text = (row.get("mm") or "").strip()
        try:
            mm = float(text)
        except ValueError:
            mm = 0.0
        if not 0 < mm <= 1500 or not row.get("area"):
            raise Refused("models.normal-value", file=name, line=line, value=text)
        found[row["area"].strip()] = mm
    return found
