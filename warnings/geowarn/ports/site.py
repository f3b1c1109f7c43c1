"""The public state that the website and the stations show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from geowarn.domain.area import Area
from geowarn.domain.bulletin import Bulletin, Standing
from geowarn.domain.incident import Incident, Publication


@dataclass(frozen=True, slots=True)
class PublishedBulletin:
    """A released bulletin as the public tree shows it; `artefacts` maps path to frozen bytes."""

    bulletin: Bulletin
    standing: Standing
    successor: Bulletin | None
    artefacts: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class PublishedIncident:
    """An incident as the public tree shows it: its versions, oldest first, and the slugs of the warnings before it."""

    incident: Incident
    publications: tuple[Publication, ...]
    slugs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OtherWarning:
    """A warning of another issuer that stands beside ours, under his name; texts are cleaned, but not escaped."""

    id: str
    issuer: Mapping[str, str]  # language to name
    page: str  # of his own
    texts: Mapping[str, Mapping[str, str]]  # language to event, headline, description, instruction, sender_name
    severity: str  # CAP's word
    sender: str
    identifier: str
    places: tuple[str, ...]  # as he names them
    codes: frozenset[str]  # our areas that it covers, and those around them; empty where it could not be placed
    sent: datetime
    expires: datetime
    heard_at: datetime | None  # when his feed was last heard
    silent: bool  # it is not heard now
    held: bool  # past its end, but nothing was heard since
    checked: bool  # its signature was verified


@dataclass(frozen=True, slots=True)
class SiteState:
    """The complete public state from which the static tree and the stations' feeds are built.

    `bulletins` are newest first and include ended ones. `sequence` grows with every state published.
    """

    sequence: int
    generated: datetime
    next_update: datetime
    bulletins: tuple[PublishedBulletin, ...]
    areas: Mapping[str, Area]
    none_in_force_since: datetime | None
    synthetic: bool  # the installation runs on synthetic input (demo)
    checkpoint: Mapping[str, Any] | None  # signed head of the ledger
    incidents: tuple[PublishedIncident, ...] = ()  # newest opened first
    answers: tuple[PublishedIncident, ...] = ()  # to what people ask, and rumours put right; newest opened first
    others: tuple[OtherWarning, ...] = ()  # of other issuers, the gravest first

    def in_force(self) -> tuple[PublishedBulletin, ...]:
        """The bulletins in force, newest first."""
        return tuple(p for p in self.bulletins if p.standing is Standing.IN_FORCE)
