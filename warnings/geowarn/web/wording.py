"""How pages speak: sentences by key, and moments, durations and counts in the reader's language."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from markupsafe import Markup

from geowarn.domain.area import Area
from geowarn.domain.level import Level
from geowarn.domain.people import Role
from geowarn.domain.warning import AreaLevel
from geowarn.resources import templates_dir

_FEW = 3  # names of areas a heading spells out


def _flat(table: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in table.items():
        if isinstance(value, dict):
            found |= _flat(value, f"{prefix}{key}.")
        else:
            found[prefix + key] = str(value)
    return found


@cache
def page_sentences(language: str, own: Path | None = None) -> Mapping[str, str]:
    """Every sentence of the console's pages by `<page>.<name>`; an installation's own wording comes on top."""
    found: dict[str, str] = {}
    for folder in (templates_dir(), own):
        path = folder / "console" / f"words.{language}.toml" if folder else None
        if path and path.is_file():
            found |= _flat(tomllib.loads(path.read_text("utf-8")))
    return found


@dataclass(frozen=True, slots=True)
class Words:
    """One reader's language; sentences may hold HTML, facts are escaped."""

    language: str
    sentences: Mapping[str, str]
    zone: ZoneInfo

    def __call__(self, key: str, /, **facts: object) -> Markup:
        """The sentence for `key`; raises KeyError for a key or fact it does not know."""
        return Markup(self.sentences[key]).format(**facts)  # noqa: S704 - the catalogue is ours, facts are escaped

    def has(self, key: str) -> bool:
        """Whether there is such a sentence."""
        return key in self.sentences

    def or_code(self, key: str, code: str) -> Markup:
        """The sentence for `key`, or the bare code of something a newer part of the line added."""
        return self(key) if self.has(key) else Markup.escape(code)

    def other_language(self) -> str:
        """What the language switch leads to."""
        return "en" if self.language == "zh" else "zh"

    def tag(self) -> str:
        """The language for `lang` attributes."""
        return "zh-CN" if self.language == "zh" else "en"

    def local(self, moment: datetime) -> datetime:
        """The moment in the installation's zone."""
        return moment.astimezone(self.zone)

    def clock(self, moment: datetime) -> str:
        """Hours and minutes: 02:14."""
        return f"{self.local(moment):%H:%M}"

    def clock_seconds(self, moment: datetime) -> str:
        """Hours, minutes and seconds: 02:14:07."""
        return f"{self.local(moment):%H:%M:%S}"

    def clock_millis(self, moment: datetime) -> str:
        """To the tenth of a second: 02:33:00.4."""
        at = self.local(moment)
        return f"{at:%H:%M:%S}.{at.microsecond // 100_000}"

    def day(self, moment: datetime) -> Markup:
        """Month and day: 7月23日, 23 July."""
        at = self.local(moment)
        return self("time.day", month=self.sentences["time.months"].split()[at.month - 1], day=at.day)

    def weekday(self, moment: datetime) -> str:
        """周四, Thu."""
        return self.sentences["time.weekdays"].split()[self.local(moment).weekday()]

    def moment(self, moment: datetime) -> Markup:
        """Day and time: 7月23日 02:14."""
        return self("time.moment", day=self.day(moment), clock=self.clock(moment))

    def when(self, moment: datetime | str, now: datetime) -> Markup:
        """今日 02:14 on the same day, else day and time; the ledger's moments are ISO 8601 texts."""
        moment = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
        if self.local(moment).date() == self.local(now).date():
            return self("time.today", clock=self.clock(moment))
        return self.moment(moment)

    def iso(self, moment: datetime) -> str:
        """For `datetime` attributes, with the zone's offset."""
        return self.local(moment).isoformat(timespec="seconds")

    def lasting(self, length: timedelta) -> Markup:
        """6分42秒, 4小时02分, 3天04小时: never 06:42, which reads as a clock at night."""
        seconds = max(0, int(length.total_seconds()))
        hours, minutes = seconds // 3600, seconds // 60
        if seconds < 60:
            return self("time.seconds", seconds=seconds)
        if minutes < 60:
            return self("time.minutes", minutes=minutes, seconds=f"{seconds % 60:02d}")
        if hours < 48:
            return self("time.hours", hours=hours, minutes=f"{minutes % 60:02d}")
        return self("time.days", days=hours // 24, hours=f"{hours % 24:02d}")

    def count(self, number: int) -> str:
        """With thin commas: 30,089."""
        return f"{number:,}"

    def signed(self, number: float) -> str:
        """A difference with its sign and a true minus: +25.15, −64.85."""
        return f"{number:+.2f}".replace("-", "−")

    def level(self, level: Level) -> Markup:
        """红色, red."""
        return self(f"level.{level.code}")

    def roles(self, roles: Iterable[Role]) -> str:
        """Roles by name, in one fixed order."""
        return self.names(self(f"role.{role.value}") for role in sorted(roles))

    def kind(self, kind: str) -> Markup:
        """What a ledger entry says was done."""
        return self.or_code(f"kind.{kind}", kind)

    def reason(self, reason: str) -> Markup:
        """Why a dispatch ended as it did: the line's own words by code, the far end's verbatim."""
        return self.or_code(f"outcome.{reason}", reason)

    def places(self, found: Iterable[AreaLevel], areas: Mapping[str, Area]) -> list[str]:
        """The names of areas with levels."""
        return [areas[a.code].name(self.language) if a.code in areas else a.code for a in found]

    def area_names(self, codes: Iterable[str], areas: Mapping[str, Area]) -> list[str]:
        """The names of areas, in the order of their codes."""
        return [areas[code].name(self.language) if code in areas else code for code in sorted(codes)]

    def said_levels(self, levels: Mapping[str, str], areas: Mapping[str, Area]) -> list[str]:
        """Areas with their levels, given by code: 海阳市红色, Haiyang red."""
        named = [(areas[code].name(self.language) if code in areas else code, level) for code, level in levels.items()]
        return [str(self("list.level", area=area, level=self(f"level.{level}"))) for area, level in named]

    def names(self, names: Iterable[str]) -> str:
        """Names in a row: 栖霞市、招远市."""
        return self.sentences["list.between"].join(names)

    def few(self, names: list[str]) -> Markup | str:
        """Up to three names, else the first and how many there are: 海阳市等5处."""
        if len(names) <= _FEW:
            return self.names(names)
        return self("list.many", first=names[0], count=len(names))


def words_for(language: str, zone: str, own: Path | None) -> Words:
    """Words of one language in the installation's zone; `own` is its `templates/` folder."""
    return Words(language, page_sentences(language, own), ZoneInfo(zone))
