"""Exercises (演练): when one may be held, what permits one, how its words differ from real ones (house rule 10).

Thirty minutes on each side of a hand-over are the window of the false alarm in Hawaii, 13 January 2018: a drill at the
change of shift (report of the FCC, April 2018). Pure: the time is given.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from geowarn.domain.bulletin import Bulletin
from geowarn.domain.level import Level
from geowarn.domain.people import Shift
from geowarn.domain.period import Period
from geowarn.domain.recipient import Recipient
from geowarn.domain.warning import Series

TYPED = ("演练", "exercise")  # what a person types before anything of an exercise begins or leaves
PREFIX = {"zh": "【演练】", "en": "[EXERCISE]"}  # in front of every text, and in nothing real
TARGET = "exercise"  # the one target of channels without addressees; the real one is called "public"
AROUND_HANDOVER = timedelta(minutes=30)
PERMIT_HOLDS = timedelta(minutes=30)
LONGEST = timedelta(hours=4)


class ExerciseStatus(StrEnum):
    """Where an exercise stands."""

    RUNNING = "running"
    ENDED = "ended"  # by a person, or by its time
    STOPPED = "stopped"  # by a real proposal


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is played: levels by area code for so many hours; the titles are what people see of it."""

    name: str
    title_zh: str
    title_en: str
    levels: Mapping[str, Level]
    hours: int = 24
    synthetic: bool = False  # its levels come from made-up rain, and every text says so

    def title(self, language: str) -> str:
        """The title in `zh` or `en`."""
        return self.title_zh if language == "zh" else self.title_en


@dataclass(frozen=True, slots=True)
class Exercise:
    """One exercise; `code_sha256` is what its own code is checked by, and that code opens nothing real."""

    id: str
    year: int  # in the installation's zone
    serial: int  # gapless within the year
    title_zh: str
    title_en: str
    director: str
    started_at: datetime
    ends_at: datetime
    code_sha256: str
    warning_id: str
    status: ExerciseStatus = ExerciseStatus.RUNNING
    permit_id: str | None = None
    ended_at: datetime | None = None
    ended_by: str = ""
    reason: str = ""

    @property
    def number(self) -> str:
        """Its own number, beside those of its bulletins: 2026-03."""
        return f"{self.year}-{self.serial:02d}"

    def title(self, language: str) -> str:
        """What is played, in `zh` or `en`."""
        return self.title_zh if language == "zh" else self.title_en


@dataclass(frozen=True, slots=True)
class Permit:
    """A leader's word that one exercise may begin although something speaks against it; used once, soon over."""

    id: str
    granted_by: str
    granted_at: datetime
    until: datetime
    reason: str
    used_at: datetime | None = None
    exercise_id: str | None = None

    def holds(self, now: datetime) -> bool:
        """Whether an exercise may still begin on it."""
        return self.used_at is None and self.granted_at <= now < self.until


def closed_windows(shifts: Iterable[Shift]) -> tuple[Period, ...]:
    """When no exercise may run: half an hour on each side of every change of the officer on duty, in order.

    A shift that begins after nobody's is no hand-over; one that ends with nobody following is.
    """
    known = sorted(shifts, key=lambda shift: (shift.start, shift.id))
    moments = [shift.end for shift in known if not _goes_on(shift, known)]
    moments += [s.start for s in known if any(o.start < s.start <= o.end and o.officer != s.officer for o in known)]
    return tuple(Period(moment - AROUND_HANDOVER, moment + AROUND_HANDOVER) for moment in sorted(set(moments)))


def _goes_on(shift: Shift, known: Iterable[Shift]) -> bool:
    """Whether the same officer is on duty before and after this shift's end."""
    return any(o.officer == shift.officer and o.start <= shift.end < o.end for o in known)


def free_until(now: datetime, windows: Iterable[Period]) -> datetime | None:
    """The beginning of the next closed window; None where none is known."""
    return min((window.start for window in windows if window.start > now), default=None)


def is_closed(now: datetime, windows: Iterable[Period]) -> bool:
    """Whether `now` lies in a closed window; its end is free again."""
    return any(window.start <= now < window.end for window in windows)


def is_exercise(bulletin: Bulletin) -> bool:
    """Whether a bulletin is an exercise's, by its number or by its content: either is enough."""
    return Series.EXERCISE in (bulletin.series, bulletin.content.series)


def in_group(recipient: Recipient) -> bool:
    """Whether a registration belongs to the exercise group, the only numbers that an exercise may reach."""
    return recipient.role == TARGET


def exercise_facts(facts: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Mapping[str, Any]]:
    """The effective settings as an exercise sees them: its own pages, and its name on everything."""
    public = str(facts["site"]["public_url"])
    own = str(facts.get("exercise", {}).get("site_url", "")) or f"{public}/{TARGET}"
    named = {f"name_{lang}": f"{word}{facts['installation'][f'name_{lang}']}" for lang, word in PREFIX.items()}
    site = {**facts["site"], "public_url": own.rstrip("/"), "hub_url": ""}
    return {**facts, "site": site, "installation": {**facts["installation"], **named}}


@dataclass(frozen=True, slots=True)
class Pages:
    """Where the pages of bulletins stand: each kind on a site of its own."""

    real: str
    exercise: str

    @classmethod
    def by(cls, facts: Mapping[str, Mapping[str, Any]]) -> Pages:
        """As the effective settings have it."""
        return cls(str(facts["site"]["public_url"]), str(exercise_facts(facts)["site"]["public_url"]))

    def of(self, bulletin: Bulletin) -> str | None:
        """The address of a bulletin's page; None for one below the public level, which has none."""
        if Series.INTERNAL in (bulletin.series, bulletin.content.series):
            return None
        return f"{self.exercise if is_exercise(bulletin) else self.real}/w/{bulletin.slug}/"


def trial_targets(facts: Mapping[str, Mapping[str, Any]]) -> frozenset[tuple[str, str]]:
    """(channel, name) of stations, partners and mailboxes that channels.toml marks as tests: `live = false`."""
    groups = {"broadcast": "stations", "webhook": "webhooks", "mail": "mailboxes"}
    return frozenset(
        (channel, name)
        for channel, group in groups.items()
        for name, entry in facts.get("channels", {}).get(group, {}).items()
        if entry.get("live") is False
    )
