"""Where a bulletin stands at every far end, read at once and counted by the database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from geowarn.catalogue import sentences
from geowarn.domain.area import Area
from geowarn.domain.bulletin import Bulletin, Standing, standing
from geowarn.domain.calls import CallKind, CallRules, CallTally
from geowarn.domain.calls_board import CallBoard, board_of
from geowarn.domain.canonical import sha256_hex
from geowarn.domain.dispatch import DispatchState
from geowarn.domain.exercise import is_exercise
from geowarn.domain.level import Level
from geowarn.domain.task import Task
from geowarn.domain.warning import Act, HazardWarning, ProposalStatus, Series
from geowarn.pipeline.calls import CALLING
from geowarn.pipeline.desk import newest
from geowarn.ports import DispatchGroup, UnitOfWork

_UNSENT = (DispatchState.NEW, DispatchState.SENDING)
_TROUBLED = (DispatchState.FAILED, DispatchState.IN_DOUBT, DispatchState.EXPIRED_UNSENT)
_AIRED_ACTS = (Act.ISSUE, Act.UPDATE)


@dataclass(frozen=True, slots=True)
class Progress:
    """Counts of one group of dispatches; `started` is the first call, `last` the newest answer."""

    name: str
    level: Level
    counts: Counter[DispatchState]
    release_at: datetime
    started: datetime | None
    last: datetime | None

    @property
    def total(self) -> int:
        """How many targets."""
        return sum(self.counts.values())

    @property
    def lag(self) -> timedelta | None:
        """From the release to the first call."""
        return self.started - self.release_at if self.started else None

    @property
    def unsent(self) -> int:
        """Not yet called, or under way."""
        return sum(self.counts[state] for state in _UNSENT)

    @property
    def troubled(self) -> int:
        """Failed, in doubt or too late."""
        return sum(self.counts[state] for state in _TROUBLED)

    def count(self, state: str) -> int:
        """How many are in the state of this name."""
        return self.counts[DispatchState(state)]

    def share(self, *states: str) -> float:
        """The part of the whole in these states, in units of a bar 200 wide."""
        return round(200 * sum(self.count(state) for state in states) / max(self.total, 1), 1)


@dataclass(frozen=True, slots=True)
class Trouble:
    """What did not go through, or is tried again, and why; `reason` is a key of the catalogue or the far end's word."""

    channel: str
    state: str
    reason: str
    code: str
    count: int

    def told(self, language: str) -> tuple[str, str]:
        """(what happened, what a person does): the catalogue's sentence, parted after its first full stop."""
        text = sentences(language).get(self.reason, "")
        if not text or "{" in text:
            return self.reason, ""
        stop = "。" if language == "zh" else ". "
        first, _, rest = text.partition(stop)
        return first.rstrip("。."), rest.strip()


@dataclass(frozen=True, slots=True)
class BoardState:
    """Everything on the board that can change; `mark` is the same while nothing did."""

    warning: HazardWarning
    bulletin: Bulletin
    chain: tuple[Bulletin, ...]
    groups: tuple[DispatchGroup, ...]
    airings: tuple[tuple[str, datetime, str], ...]
    tasks: tuple[Task, ...]
    under_review: bool
    calls: tuple[CallTally, ...] = ()
    registered: Mapping[tuple[str, CallKind], int] = field(default_factory=dict)

    @property
    def mark(self) -> str:
        """A digest of all of it but the time."""
        said = (self.groups, self.airings, [(t.kind, t.subject) for t in self.tasks], self.under_review, self.calls)
        return sha256_hex(repr((self.warning.status, len(self.chain), *said)))[:16]

    def standing(self, now: datetime) -> Standing:
        """Where the bulletin stands at `now`."""
        return standing(self.bulletin, self.chain, now)

    def call_board(self, areas: Mapping[str, Area], rules: CallRules, publish_from: Level) -> CallBoard:
        """Who must answer, and who did; empty for what calls nobody: exercises, and the end of a warning."""
        if self.bulletin.act not in CALLING or self.bulletin.series is not Series.REAL or is_exercise(self.bulletin):
            return CallBoard()
        levels = {area.code: area.level for area in self.bulletin.content.areas if area.level >= publish_from}
        return board_of(self.calls, levels, areas, self.registered, rules)

    @property
    def channels(self) -> list[Progress]:
        """A line a channel, and one for each station and partner."""
        found: dict[str, list[DispatchGroup]] = {}
        for group in self.groups:
            found.setdefault(f"{group.channel}:{group.target}" if group.target else group.channel, []).append(group)
        order = sorted(found, key=lambda name: (name != "website", name == "sms", name))
        return [_progress(name, Level.NONE, found[name]) for name in order]

    @property
    def batches(self) -> list[Progress]:
        """SMS by level and tier, the most urgent first."""
        found: dict[tuple[Level, int], list[DispatchGroup]] = {}
        for group in self.groups:
            if group.channel == "sms":
                found.setdefault((_variant_level(group.variant), group.tier), []).append(group)
        order = sorted(found, key=lambda key: (-key[0], key[1]))
        return [_progress(f"tier.{tier}", level, found[level, tier]) for level, tier in order]

    @property
    def troubles(self) -> list[Trouble]:
        """What did not go through, and what is tried again, most first."""
        found: Counter[tuple[str, str, str, str]] = Counter()
        for group in self.groups:
            retried = group.state is DispatchState.NEW and group.tried and group.reason
            if group.state in _TROUBLED or retried:
                reason, _, code = group.reason.partition(" ")
                state = "retried" if retried else group.state.value
                known = reason in sentences("zh")
                key = (reason, code) if known else (group.reason, "")
                found[group.channel, state, *key] += group.count
        return [Trouble(*key, count) for key, count in found.most_common(20)]

    def unaired(self, minutes: int, now: datetime) -> list[tuple[str, timedelta]]:
        """Stations that fetched the item longer ago than agreed and have not said that it was aired."""
        if self.bulletin.act not in _AIRED_ACTS or self.standing(now) is not Standing.IN_FORCE:
            return []
        aired = {station for station, *_ in self.airings}
        fetched = {g.target: g.answered for g in self.groups if g.channel == "broadcast" and g.answered}
        late = {name: now - at for name, at in fetched.items() if name not in aired and at is not None}
        return [(name, waited) for name, waited in sorted(late.items()) if waited > timedelta(minutes=minutes)]


def _progress(name: str, level: Level, groups: Iterable[DispatchGroup]) -> Progress:
    rows = list(groups)
    counts: Counter[DispatchState] = Counter()
    for row in rows:
        counts[row.state] += row.count
    started = [row.started for row in rows if row.started]
    answered = [row.answered for row in rows if row.answered]
    first, last = min(started, default=None), max(answered, default=None)
    return Progress(name, level, counts, rows[0].release_at, first, last)


def _variant_level(variant: str) -> Level:
    code = variant.rsplit("/", 1)[-1].split(".")[0]
    return Level[code.upper()] if code.upper() in Level.__members__ else Level.NONE


def read_board(work: UnitOfWork, warning: HazardWarning, bulletin_id: str) -> BoardState | None:
    """The state of one bulletin, or None where the warning has no such bulletin."""
    chain = work.bulletins.of_warning(warning.id)
    shown = next((b for b in chain if b.id == bulletin_id), None)
    if shown is None:
        return None
    pending = newest(work, warning.id)
    return BoardState(
        warning=warning,
        bulletin=shown,
        chain=chain,
        groups=work.dispatches.groups(shown.id),
        airings=work.stations.airings(shown.slug),
        tasks=tuple(t for t in work.tasks.pending() if t.subject in (warning.id, shown.id)),
        calls=work.calls.tally(warning.id, None if shown.id == chain[-1].id else shown.id),
        registered=work.contacts.registered(),
        under_review=bool(pending and pending.status in (ProposalStatus.OPEN, ProposalStatus.RETURNED)),
    )


def target_names(facts: Mapping[str, Mapping[str, Mapping[str, object]]], language: str) -> dict[str, str]:
    """What stations and partners are called, by channel and key."""
    groups = {"broadcast": facts["stations"], "webhook": facts["webhooks"]}
    return {
        f"{channel}:{key}": str(entry.get(f"name_{language}", key))
        for channel, entries in groups.items()
        for key, entry in entries.items()
    }
