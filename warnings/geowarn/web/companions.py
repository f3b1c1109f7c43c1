"""Alerts of the weather service in one line each: who says what, where, until when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup

from geowarn.domain.area import Area
from geowarn.ports import CompanionAlert
from geowarn.web.wording import Words


@dataclass(frozen=True, slots=True)
class CompanionLine:
    """One alert as the console shows it."""

    what: str
    issuer: str
    places: Markup | str
    until: datetime


def companion_line(alert: CompanionAlert, areas: Mapping[str, Area], words: Words) -> CompanionLine:
    """The alert in the reader's language, else in the one it came in first."""
    names = [areas[code].name(words.language) if code in areas else code for code in alert.areas]
    return CompanionLine(
        what=_said(alert.facts.get("headline"), words.language) or _said(alert.facts.get("event"), words.language),
        issuer=_said(alert.facts.get("issuer"), words.language) or alert.sender,
        places=words.few(names or [str(place) for place in alert.facts.get("places", ())] or ["?"]),
        until=alert.expires,
    )


def _said(by_language: Mapping[str, str] | None, language: str) -> str:
    texts = dict(by_language or {})
    own = [text for tag, text in texts.items() if tag.lower().startswith(language)]
    return next(iter([*own, *texts.values()]), "")
