"""A station or partner says that a bulletin went on the air."""

from __future__ import annotations

from datetime import datetime, timedelta

from geowarn.domain.errors import NotFound, Refused
from geowarn.domain.period import to_utc
from geowarn.ports import UnitOfWork

_CLOCK_SLACK = timedelta(minutes=5)  # how far a station's clock may be ahead of ours


def note_airing(work: UnitOfWork, station: str, slug: str, aired_at: datetime, medium: str, now: datetime) -> bool:
    """Note when and on which medium; returns False when this was noted before.

    Raises NotFound for an unknown bulletin, Refused for a moment before its release or in the future.
    """
    bulletin = work.bulletins.by_slug(slug)
    if bulletin is None:
        raise NotFound("web.no-item", item=slug)
    at = to_utc(aired_at)
    if not bulletin.released_at - _CLOCK_SLACK <= at <= now + _CLOCK_SLACK:
        raise Refused("web.aired-moment", at=at.isoformat(), released=bulletin.released_at.isoformat())
    if not work.stations.aired(station, slug, at, medium):
        return False
    facts = {"slug": slug, "station": station, "aired_at": at.isoformat(), "medium": medium}
    work.ledger.append(now, f"station {station}", "bulletin.aired", bulletin.warning_id, facts)
    return True
