"""What runs say about one level of one area: never reached, on, or withdrawn.

A level is on from any run that reaches it. It is withdrawn by complete newer runs below it, one after the other, of the
same source; of a better-ranked source only once the first has been silent for long, or two sources that disagree would
raise and lower in turn. A gap breaks the row and withdraws nothing (hazard-methods 3.4). Only run times count, never
the order of arrival.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import groupby

from geowarn.domain.level import Level
from geowarn.domain.period import Period


@dataclass(frozen=True, slots=True)
class CourseRules:
    """The numbers of `[course]` in the policy; hours and counts are choices of this project, not calibrated."""

    lowering_runs: int = 2  # complete newer runs, one after the other, before lower levels are proposed
    persistence_hours: float = 6.0  # how long a level is kept after the rain that carried it
    silent_hours: float = 12.0  # after which a better-ranked source may speak for one that is silent
    extension_step_hours: float = 3.0  # an end that moves by less is no change
    extension_ahead_hours: float = 6.0  # how long before its end a longer validity is proposed
    same_course_hours: float = 24.0  # after its end without all-clear a new event is a new course
    sources: tuple[str, ...] = ()  # the best first; those not named come after all of them, as equals


@dataclass(frozen=True, slots=True)
class Say:
    """One area in one run: `complete` is false for a lower bound, a gap or a stale run."""

    level: Level | None
    complete: bool


@dataclass(frozen=True, slots=True)
class Run:
    """What the decision reads of an assessment run; an area it does not name is a gap."""

    id: str
    source: str
    run_time: datetime
    made_at: datetime
    window: Period
    says: Mapping[str, Say]

    def reaches(self, area: str, level: Level) -> bool:
        """Whether it puts the area at this level or above; a lower bound does."""
        say = self.says.get(area)
        return say is not None and say.level is not None and say.level >= level


class State(StrEnum):
    """Where a level of an area stands."""

    UNSEEN = "unseen"
    ON = "on"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a level of an area stands and through which runs.

    `until`: on: the end of the time for which it is foretold; withdrawn: since when the rain no longer carries it.
    """

    state: State
    support: Run | None = None  # the newest run that reached it
    votes: tuple[Run, ...] = ()  # complete newer runs below it, one after the other, the oldest first
    doubt: Run | None = None  # the newest run since, if it could not tell
    other: Run | None = None  # a newer run below it, of a source that may not lower it
    until: datetime | None = None


Cluster = tuple[Run, ...]  # everything assessed from one run of one source: one voice


def clusters(runs: Iterable[Run]) -> tuple[Cluster, ...]:
    """The runs by run time and source, each cluster in the order it was made."""
    ordered = sorted(runs, key=lambda run: (run.run_time, run.source, run.made_at, run.id))
    return tuple(tuple(found) for _, found in groupby(ordered, key=lambda run: (run.run_time, run.source)))


@dataclass(slots=True)
class _Track:
    """One source's word on one level of one area."""

    support: Run
    until: datetime
    votes: dict[str, list[Run]] = field(default_factory=dict)  # by the source that votes
    withdrawn: tuple[Run, ...] = ()
    doubt: Run | None = None
    other: Run | None = None

    def vote(self, cluster: Cluster, area: str, needed: int) -> None:
        """Hear a newer run below the level; what covers less time than was foretold says nothing about the rest."""
        covering = [run for run in cluster if self._covered_by(run)]
        if not covering:
            return
        run, say = covering[-1], covering[-1].says.get(area)
        if say is None or not say.complete:
            self.votes.pop(run.source, None)
            self.doubt = run
            return
        row = self.votes.setdefault(run.source, [])
        row.append(run)
        self.doubt = None
        if len(row) >= needed:
            self.withdrawn = tuple(row)

    def _covered_by(self, run: Run) -> bool:
        begins = max(self.support.window.start, run.made_at)
        return run.window.start <= begins and self.until <= run.window.end

    @property
    def quiet_from(self) -> datetime:
        """Since when the rain no longer carries the level, as far as known."""
        return min([self.until, *(run.window.start for run in self.withdrawn[:1])])


class _Hearing:
    """The tracks of every source for one level of one area, run by run."""

    def __init__(self, area: str, level: Level, rules: CourseRules) -> None:
        self.area, self.level, self.rules = area, level, rules
        self.tracks: dict[str, _Track] = {}
        self.spoke: dict[str, datetime] = {}

    def hear(self, cluster: Cluster) -> None:
        """Take in one run."""
        source = cluster[0].source
        reaching = [run for run in cluster if run.reaches(self.area, self.level)]
        if reaching:
            self._support(source, reaching)
        for name, track in self.tracks.items():
            if reaching:
                track.votes.pop(source, None)
            elif not track.withdrawn and cluster[0].run_time > track.support.run_time:
                self._lower(name, track, cluster)
        if any(self.area in run.says for run in cluster):
            self.spoke[source] = cluster[0].run_time

    def _support(self, source: str, reaching: Sequence[Run]) -> None:
        before = self.tracks.get(source)
        ends = [run.window.end for run in reaching]
        if before is not None and not before.withdrawn:
            ends.append(before.until)
        self.tracks[source] = _Track(reaching[-1], max(ends))

    def _lower(self, name: str, track: _Track, cluster: Cluster) -> None:
        source, moment = cluster[0].source, cluster[0].run_time
        if source == name or self._speaks_for(source, name, moment):
            track.vote(cluster, self.area, self.rules.lowering_runs)
        elif (say := cluster[-1].says.get(self.area)) is not None and say.complete:
            track.other = cluster[-1]

    def _speaks_for(self, source: str, name: str, moment: datetime) -> bool:
        silent = self.spoke[name] <= moment - timedelta(hours=self.rules.silent_hours)
        return silent and rank(source, self.rules) < rank(name, self.rules)


def rank(source: str, rules: CourseRules) -> int:
    """0 for the best source; a part of a source (`name/part`) that is not named itself ranks as the source does."""
    names = [name for name in (source, source.partition("/")[0]) if name in rules.sources]
    return rules.sources.index(names[0]) if names else len(rules.sources)


def standing(area: str, level: Level, heard: Iterable[Cluster], rules: CourseRules) -> Standing:
    """Where `level` of `area` stands after these runs, given in order of run time (`clusters`)."""
    hearing = _Hearing(area, level, rules)
    for cluster in heard:
        hearing.hear(cluster)
    tracks = list(hearing.tracks.values())
    on = [track for track in tracks if not track.withdrawn]
    if on:
        newest = max(on, key=lambda track: (track.support.run_time, track.support.source))
        votes = max((tuple(row) for row in newest.votes.values()), key=len, default=())
        until = max(track.until for track in on)
        return Standing(State.ON, newest.support, votes, newest.doubt, newest.other, until)
    if tracks:
        last = max(tracks, key=lambda track: (track.withdrawn[-1].run_time, track.withdrawn[-1].source))
        until = max(track.quiet_from for track in tracks)
        return Standing(State.WITHDRAWN, last.support, last.withdrawn, until=until)
    return Standing(State.UNSEEN)
