"""One course of events: what the runs call for beside what is held, and why. Pure: the time is given.

A raise by any source counts at once; a lower level needs complete newer runs (`votes`) and the time that danger
persists after the rain; the end of validity never moves back; an all-clear is only ever asked for (house rule 1).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from geowarn.domain.area import Area, AreaKind, effective, listed
from geowarn.domain.level import Level
from geowarn.domain.votes import Cluster, CourseRules, Run, Standing, State, clusters, standing

Levels = Mapping[str, Level]


@dataclass(frozen=True, slots=True)
class Answer:
    """A person's no: dismissed, or ended. What was refused does not come back within the time it was refused for.

    Without `rises` and `falls` it was a later end alone that was refused.
    """

    rises: Levels
    falls: Levels
    until: datetime  # the end of validity that was refused or ended
    at: datetime
    status: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Held:
    """What is under review or in force; without `expires` nothing is."""

    levels: Levels = field(default_factory=dict)
    expires: datetime | None = None
    by_person: Mapping[str, datetime] = field(default_factory=dict)  # areas whose level a person set, and when
    answers: tuple[Answer, ...] = ()


class Way(StrEnum):
    """What the runs call for."""

    NOTHING = "nothing"
    RISE = "rise"
    EXTEND = "extend"
    LOWER = "lower"


@dataclass(frozen=True, slots=True)
class Fact:
    """One area: from which level to which, and why; `because` is a sentence of the catalogue, `course.<because>`."""

    area: str
    before: Level
    after: Level
    because: str
    standing: Standing

    def as_json(self) -> dict[str, Any]:
        """Plain JSON for the ledger; times in ISO 8601, UTC."""
        run, support, until = self._told(), self.standing.support, self.standing.until
        return {
            "code": self.area,
            "before": self.before.code,
            "after": self.after.code,
            "because": self.because,
            "run": run.id if run else None,
            "source": run.source if run else None,
            "run_time": run.run_time.isoformat() if run else None,
            "holder": support.source if support else None,
            "votes": len(self.standing.votes),
            "until": until.isoformat() if until else None,
        }

    def _told(self) -> Run | None:
        """The run that the sentence names."""
        found = self.standing
        if self.because in ("reached", "kept"):
            return found.support
        if self.because in ("incomplete", "other-source"):
            return found.doubt or found.other
        return found.votes[-1] if found.votes else found.support


@dataclass(frozen=True, slots=True)
class Decision:
    """What to propose: `levels` and `expires` are those held where `way` is nothing."""

    way: Way
    levels: Levels
    expires: datetime | None
    facts: tuple[Fact, ...]
    run: Run | None = None  # the run that the change stands on
    all_clear: bool = False  # nothing public would be left: only a person may say so
    answers: tuple[Answer, ...] = ()  # the refusals that a proposal comes back after


def decide(
    areas: Mapping[str, Area],
    held: Held,
    runs: Sequence[Run],
    rules: CourseRules,
    publish_from: Level,
    now: datetime,
) -> Decision:
    """What these runs call for at `now`, whatever the order in which they came."""
    found = _Findings(areas, held, runs, rules, now)
    wanted = {code: fact.after for code, fact in found.facts.items()}
    wanted = _without_answered_falls(held, wanted, now)
    if asks := _leaves_nothing(listed(wanted, areas), held.levels, publish_from):
        wanted = {code: max(level, held.levels.get(code, Level.NONE)) for code, level in wanted.items()}
    levels: Levels = listed(wanted, areas)
    rises = [code for code, level in levels.items() if level > effective(code, held.levels, areas)]
    if rises and all(found.answered(code, levels[code]) for code in rises):
        levels = listed({**wanted, **{code: effective(code, held.levels, areas) for code in rises}}, areas)
        rises = []
    falls = [code for code, level in held.levels.items() if effective(code, levels, areas) < level]
    expires = found.end(levels, publish_from)
    way = Way.RISE if rises else Way.LOWER if falls and expires and expires > now else Way.NOTHING
    if way is Way.NOTHING:
        way, levels = Way.EXTEND if found.due(expires) else way, held.levels
    moved = Decision(way, levels, held.expires if way is Way.NOTHING else expires, (), all_clear=asks)
    facts = found.told(moved)
    return replace(moved, facts=facts, run=found.run_of(moved, rises, falls), answers=_touching(held.answers, facts))


def _touching(answers: tuple[Answer, ...], facts: tuple[Fact, ...]) -> tuple[Answer, ...]:
    """The refusals that speak of one of these areas, or of the end alone."""
    codes = {fact.area for fact in facts}
    return tuple(a for a in answers if codes & {*a.rises, *a.falls} or not (a.rises or a.falls))


def _without_answered_falls(held: Held, wanted: Levels, now: datetime) -> dict[str, Level]:
    """Where a person refused to lower, as low or lower does not come back while what is held is valid."""
    kept = dict(wanted)
    for answer in held.answers:
        for code, refused in answer.falls.items() if now < answer.until else ():
            if code in held.levels and kept.get(code, Level.NONE) <= refused < held.levels[code]:
                kept[code] = held.levels[code]
    return kept


def _leaves_nothing(named: Levels, held: Levels, publish_from: Level) -> bool:
    """Whether no area would be left at the public level where one was, or none at all."""
    floor = publish_from if max(held.values(), default=Level.NONE) >= publish_from else Level.BLUE
    return bool(held) and max(named.values(), default=Level.NONE) < floor


class _Findings:
    """Every area that has or had a level, weighed once."""

    def __init__(
        self, areas: Mapping[str, Area], held: Held, runs: Sequence[Run], rules: CourseRules, now: datetime
    ) -> None:
        self.areas, self.held, self.runs, self.rules, self.now = areas, held, runs, rules, now
        self.step = timedelta(hours=rules.extension_step_hours)
        self._heard = clusters(runs)
        self._standings: dict[tuple[str, Level], Standing] = {}
        spoken = {
            code
            for run in runs
            for code, say in run.says.items()
            if code in areas and (say.level or effective(code, held.levels, areas))
        }
        known = [code for code in (*sorted(held.levels), *sorted(spoken - set(held.levels))) if code in areas]
        self.facts = {code: self._weigh(code) for code in known if areas[code].kind is not AreaKind.CITY}

    def standing(self, code: str, level: Level) -> Standing:
        """Where this level of this area stands; what a person decided on later is not asked again."""
        if (code, level) not in self._standings:
            heard: Iterable[Cluster] = self._heard
            if (since := self.held.by_person.get(code)) is not None:
                heard = clusters(run for run in self.runs if run.made_at > since)
            self._standings[code, level] = standing(code, level, heard, self.rules)
        return self._standings[code, level]

    def _weigh(self, code: str) -> Fact:
        held = effective(code, self.held.levels, self.areas)
        for level in sorted(Level, reverse=True):
            found = self.standing(code, level) if level > held else None
            if found and found.state is State.ON and found.until and found.until > self.now:
                return Fact(code, held, level, "reached", found)
        for level in sorted((level for level in Level if Level.NONE < level <= held), reverse=True):
            if because := self._keeps(code, level):
                found = self.standing(code, level)
                shares = because == "incomplete" and found.state is State.UNSEEN
                return Fact(code, held, level, because, replace(found, doubt=self._doubt(code)) if shares else found)
        return Fact(code, held, Level.NONE, "withdrawn", self.standing(code, max(held, Level.BLUE)))

    def _keeps(self, code: str, level: Level) -> str:
        """Why an area keeps this level, or an empty text."""
        found = self.standing(code, level)
        if found.state is State.ON:
            if found.doubt is not None:
                return "incomplete"
            return "one-of" if found.votes else "other-source" if found.other is not None else "kept"
        if found.state is State.WITHDRAWN and found.until is not None:
            persists = found.until + timedelta(hours=self.rules.persistence_hours)
            return "persisting" if self.now < persists else ""
        if level > self.held.levels.get(code, Level.NONE):  # so far it only shared this level
            return "incomplete" if self._doubt(code) else ""
        return "by-person" if code in self.held.by_person else "no-run"

    def _doubt(self, code: str) -> Run | None:
        """A newest run that could not tell about an area that so far shared the level of one around it."""
        newest = [cluster[-1] for cluster in self._heard if code in cluster[-1].says][-self.rules.lowering_runs :]
        unsure = [run for run in newest if not run.says[code].complete]
        few = newest if len(newest) < self.rules.lowering_runs else []
        return next(iter(reversed([*few, *unsure])), None)

    def answered(self, code: str, level: Level) -> bool:
        """Whether a person has said no to this level or a higher one for the same time."""
        until = self.standing(code, level).until
        return any(
            level <= effective(code, answer.rises, self.areas) and (until is None or until < answer.until + self.step)
            for answer in self.held.answers
        )

    def end(self, levels: Levels, publish_from: Level) -> datetime | None:
        """The end of what is foretold for the areas that count; never before the end held."""
        public = [code for code, level in levels.items() if level >= publish_from] or list(levels)
        ends = [self.held.expires] if self.held.expires else []
        for code in public:
            found = self.standing(code, levels[code])
            if found.state is State.ON and found.until is not None:
                ends.append(found.until)
        return max(ends, default=None)

    def due(self, expires: datetime | None) -> bool:
        """Whether it is time to propose a later end: near the end held, by a step at least, and not refused before."""
        if expires is None or self.held.expires is None or expires <= self.now:
            return False
        refused = [answer.until for answer in self.held.answers if not answer.rises and not answer.falls]
        ahead = timedelta(hours=self.rules.extension_ahead_hours)
        return expires >= max([self.held.expires, *refused]) + self.step and self.held.expires <= self.now + ahead

    def told(self, decision: Decision) -> tuple[Fact, ...]:
        """The facts of every area that is or was named, the highest first."""
        codes = [code for code in {*self.held.levels, *decision.levels} if code in self.facts]
        facts = [self._fact(code, decision) for code in codes]
        return tuple(sorted(facts, key=lambda fact: (-max(fact.before, fact.after), fact.area)))

    def _fact(self, code: str, decision: Decision) -> Fact:
        fact, after = self.facts[code], effective(code, decision.levels, self.areas)
        if after < fact.after:
            return replace(fact, after=after, because="answered")
        if after > fact.after:
            shared = decision.levels.get(code, Level.NONE) < after
            because = "shared" if shared else "all-clear-first" if decision.all_clear else "not-lowered"
            return replace(fact, after=after, because=because)
        if after < fact.before:
            return replace(fact, because="withdrawn", standing=self.standing(code, fact.before))
        return fact

    def run_of(self, decision: Decision, rises: Sequence[str], falls: Sequence[str]) -> Run | None:
        """The newest run that the change stands on, of the highest level that changes."""
        found: list[Run | None] = []
        if decision.way is Way.RISE:
            top = max(decision.levels[code] for code in rises)
            found = [self.standing(c, top).support for c in rises if decision.levels[c] == top]
        elif decision.way is Way.LOWER:
            found = [run for code in falls for run in self.standing(code, self.held.levels[code]).votes]
        elif decision.way is Way.EXTEND:
            found = [self.standing(code, level).support for code, level in decision.levels.items()]
        there = [run for run in found if run is not None]
        return max(there, key=lambda run: (run.run_time, run.made_at, run.id), default=None)
