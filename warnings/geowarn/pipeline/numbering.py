"""The number of a bulletin and the other fields that come late, taken in the releasing transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from geowarn.domain.bulletin import slug_of
from geowarn.domain.warning import Content, Series
from geowarn.pipeline.desk import Desk
from geowarn.ports import UnitOfWork


@dataclass(frozen=True, slots=True)
class Number:
    """A number taken in the releasing transaction."""

    series: Series
    year: int
    serial: int
    text: str
    slug: str


def take_number(desk: Desk, work: UnitOfWork, content: Content, sent: datetime) -> Number:
    """The next number of the series that this content belongs to."""
    public = content.highest >= desk.policy.publish_from
    series = content.series if public or content.series is Series.EXERCISE else Series.INTERNAL
    year = sent.astimezone(desk.zone).year
    serial = work.bulletins.next_serial(series, year)
    if series is Series.INTERNAL:
        return Number(series, year, serial, slug_of(series, year, serial), slug_of(series, year, serial))
    key = "exercise_pattern" if series is Series.EXERCISE else "pattern"
    text = str(desk.facts["numbering"][key]).format(year=year, serial=serial)
    return Number(series, year, serial, text, slug_of(series, year, serial))


def late_values(desk: Desk, number: Number, sent: datetime) -> dict[str, str]:
    """What only the release knows, by the names of its markers."""
    local = sent.astimezone(desk.zone)
    return {
        "number": number.text,
        "slug": number.slug,
        "sent": local.isoformat(timespec="seconds"),
        "sent.blank": local.isoformat(" ", "seconds"),
        "sent.digits": f"{local:%Y%m%d%H%M%S}",
        "date.zh": f"{local.year}年{local.month}月{local.day}日",
        "date.en": f"{local.day} {local:%B %Y}",
    }
