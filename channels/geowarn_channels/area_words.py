"""How areas are named in a sentence, and the recurring words of each language."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from geowarn.domain.area import AreaKind
from geowarn.domain.warning import AreaLevel
from geowarn.ports import BulletinDraft, Templates

MANY = 3  # more areas than this are named as "first and so many others"
_PREFIXED = (AreaKind.TOWNSHIP, AreaKind.POINT)
_COUNT_AS = {AreaKind.COUNTY: "county", AreaKind.TOWNSHIP: "township", AreaKind.POINT: "point"}
_UNFIT = re.compile(r"[\x00-\x1f\x7f-\x9f\ufffe\uffff\ud800-\udfff]+")


def words(templates: Templates, language: str) -> Mapping[str, Any]:
    """The recurring words of one language (`templates/bulletin/words.<language>.toml`)."""
    return table(templates, f"bulletin/words.{language}.toml")


def table(templates: Templates, name: str) -> Mapping[str, Any]:
    """A template that is a TOML table; read again only where its text has changed."""
    return _read(templates.render(name))


@lru_cache(maxsize=16)
def _read(text: str) -> Mapping[str, Any]:
    return tomllib.loads(text)


def clean(text: str) -> str:
    """One line without control characters: what XML, SMS and crawl can all carry."""
    return " ".join(_UNFIT.sub(" ", text).split())


def join(names: Sequence[str], language: str) -> str:
    """`甲、乙、丙` or `A, B and C`; empty names are left out."""
    present = [name for name in names if name]
    if language == "zh":
        return "、".join(present)
    return " and ".join([", ".join(present[:-1]), present[-1]] if len(present) > 1 else present)


def area_name(draft: BulletinDraft, code: str, language: str) -> str:
    """The full name; a township or hazard point is named with its county, as names occur twice in a city."""
    area = draft.areas.get(code)
    if area is None:
        return code
    parent = draft.areas.get(area.parent or "")
    if area.kind not in _PREFIXED or parent is None or parent.kind is AreaKind.CITY:
        return clean(area.name(language))
    if language == "zh":
        return clean(parent.name_zh + area.name_zh.removeprefix(parent.name_zh))
    return clean(f"{area.name_en}, {parent.name_en}")


def names(draft: BulletinDraft, areas: Sequence[AreaLevel], language: str) -> tuple[str, ...]:
    """Full names in the order given."""
    return tuple(area_name(draft, area.code, language) for area in areas)


def phrase(templates: Templates, draft: BulletinDraft, areas: Sequence[AreaLevel], language: str) -> str:
    """Up to three names; beyond that the first and how many, counted in their kind."""
    found = names(draft, areas, language)
    if len(found) <= MANY:
        return join(found, language)
    kinds = {_COUNT_AS.get(draft.areas[a.code].kind, "other") if a.code in draft.areas else "other" for a in areas}
    pattern = words(templates, language)["count"][kinds.pop() if len(kinds) == 1 else "other"]
    return str(pattern).format(first=found[0], count=len(found), others=len(found) - 1)
