"""Which areas an assessment is about, and which others it needs to know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from geowarn.domain.area import Area, AreaKind, ancestors, by_code
from geowarn.domain.canonical import canonical_json, sha256_hex
from geowarn.domain.errors import Refused


def select_areas(areas: Sequence[Area], wanted: Sequence[str] | None) -> list[Area]:
    """Areas by code or kind in the order of the installation; raises Refused naming what fits none."""
    if not wanted:
        return [area for area in areas if area.kind is not AreaKind.CITY]
    words = {word.strip() for word in wanted if word.strip()}
    unknown = words - {area.code for area in areas} - {area.kind.value for area in areas}
    if unknown:
        raise Refused("assess.unknown-areas", areas=", ".join(sorted(unknown)))
    return [area for area in areas if area.code in words or area.kind.value in words]


def areas_digest(areas: Sequence[Area]) -> str:
    """SHA-256 over every fact of every area: what a replay must find unchanged."""
    return sha256_hex(canonical_json([_facts(area) for area in sorted(areas, key=lambda area: area.code)]))


def _facts(area: Area) -> dict[str, Any]:
    """Every fact as plain JSON; a geometry may be held as numbers (`geowarn.domain.outline`)."""
    geometry = None if area.geometry is None else dict(area.geometry)
    return asdict(replace(area, geometry=None)) | {"geometry": geometry}


def closure(areas: Sequence[Area], selected: Sequence[Area]) -> list[Area]:
    """The selected areas, their ancestors, and everything inside either: hazard points raise what they lie in."""
    known = by_code(areas)
    above = {code for area in selected for code in ancestors(area.code, known)}
    return [area for area in areas if area.code in above or above & set(ancestors(area.code, known))]
