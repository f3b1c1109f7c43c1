"""The release board: did it arrive, what is left to do, and how to take it back."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from geowarn.domain.area import by_code
from geowarn.domain.bulletin import Bulletin, standing
from geowarn.domain.dispatch import Dispatch, DispatchState
from geowarn.domain.errors import NotFound
from geowarn.domain.level import Level
from geowarn.domain.policy import valid
from geowarn.domain.warning import HazardWarning, ProposalStatus, WarningStatus
from geowarn.pipeline.desk import find_warning, newest
from geowarn.pipeline.release import retraction_words
from geowarn.ports import UnitOfWork
from geowarn.web.access import Visit, Visiting
from geowarn.web.asking import factor_asked

router = APIRouter(prefix="/console", include_in_schema=False)

_LIVE = (WarningStatus.IN_FORCE, WarningStatus.VALIDITY_ENDED)
_UNSENT = (DispatchState.NEW, DispatchState.SENDING)


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
        return sum(self.counts[s] for s in (DispatchState.FAILED, DispatchState.IN_DOUBT, DispatchState.EXPIRED_UNSENT))

    def count(self, state: str) -> int:
        """How many are in the state of this name."""
        return self.counts[DispatchState(state)]

    def share(self, *states: str) -> float:
        """The part of the whole in these states, in units of a bar 200 wide."""
        return round(200 * sum(self.count(state) for state in states) / max(self.total, 1), 1)


def _progress(name: str, level: Level, rows: list[Dispatch]) -> Progress:
    started = [row.started_at for row in rows if row.started_at]
    answered = [at for row in rows for at in (row.accepted_at, row.delivered_at) if at]
    return Progress(
        name,
        level,
        Counter(row.state for row in rows),
        rows[0].release_at,
        min(started, default=None),
        max(answered, default=None),
    )


def _by_channel(rows: tuple[Dispatch, ...]) -> list[Progress]:
    groups: dict[str, list[Dispatch]] = {}
    for row in rows:
        named = row.channel in ("broadcast", "webhook")  # each station and partner has a line of its own
        groups.setdefault(f"{row.channel}:{row.target_key}" if named else row.channel, []).append(row)
    order = sorted(groups, key=lambda name: (name != "website", name == "sms", name))
    return [_progress(name, Level.NONE, groups[name]) for name in order]


def _variant_level(variant: str) -> Level:
    code = variant.rsplit("/", 1)[-1].split(".")[0]
    return Level[code.upper()] if code.upper() in Level.__members__ else Level.NONE


def _by_batch(rows: tuple[Dispatch, ...]) -> list[Progress]:
    groups: dict[tuple[Level, int], list[Dispatch]] = {}
    for row in rows:
        if row.channel == "sms":
            groups.setdefault((_variant_level(row.variant), row.tier), []).append(row)
    return [
        _progress(f"tier.{tier}", level, groups[level, tier])
        for level, tier in sorted(groups, key=lambda key: (-key[0], key[1]))
    ]


def _troubles(rows: tuple[Dispatch, ...]) -> list[tuple[str, str, str, int]]:
    """(channel, state, reason, count) of what did not go through, most first."""
    states = (DispatchState.FAILED, DispatchState.IN_DOUBT, DispatchState.EXPIRED_UNSENT)
    found = Counter((row.channel, row.state.value, row.reason or "") for row in rows if row.state in states)
    return [(*key, count) for key, count in found.most_common(20)]


@router.get("/warnings/{name}/board")
def board(visit: Visiting, name: str, bulletin: str = "", still: bool = False) -> Response:
    """The newest bulletin of a warning, or the one named, with every channel; renews itself unless told to stand."""
    with visit.system.store.read() as work:
        warning = find_warning(work, name)
        chain = work.bulletins.of_warning(warning.id)
        shown = next((b for b in chain if b.slug == bulletin), chain[-1] if chain and not bulletin else None)
        if shown is None:
            raise NotFound("web.not-released", warning=name)
        values = _values(visit, work, warning, shown, chain)
    return visit.page("board", warning=warning, still=still, **values)


def _signers(visit: Visit, work: UnitOfWork, shown: Bulletin) -> list[str]:
    names = [s.user for s in valid(work.signoffs.of_proposal(shown.proposal_id), shown.package_sha256)]
    users = {user.name: user for user in work.users.all()}
    return [users[name].display(visit.words.language) if name in users else name for name in names]


def _values(
    visit: Visit, work: UnitOfWork, warning: HazardWarning, shown: Bulletin, chain: tuple[Bulletin, ...]
) -> dict[str, Any]:
    pending = newest(work, warning.id)
    rows = work.dispatches.of_bulletin(shown.id)
    channels, batches = _by_channel(rows), _by_batch(rows)
    sms = [row for row in rows if row.channel == "sms"]
    rate = float(visit.system.settings.sms.segments_per_second)
    waiting = sum(1 for row in sms if row.state in _UNSENT)
    release_at = rows[0].release_at if rows else shown.released_at
    lags = [p.lag for p in channels if p.lag is not None]
    return {
        "bulletin": shown,
        "emergencies": work.emergencies.of_warning(warning.id),
        "chain": chain,
        "newest": shown.id == chain[-1].id,
        "standing": standing(shown, chain, visit.now),
        "channels": channels,
        "batches": batches,
        "sms_total": len(sms),
        "sms_delivered": sum(1 for row in sms if row.state is DispatchState.DELIVERED),
        "waiting": waiting,
        "settled_at": visit.now + timedelta(seconds=waiting / rate) if waiting else None,
        "slowest": max(lags, default=None),
        "troubles": _troubles(rows),
        "airings": work.stations.airings(shown.slug),
        "release_at": release_at,
        "areas": by_code(work.areas.all()),
        "signer_names": _signers(visit, work, shown),
        "live": warning.status in _LIVE,
        "under_review": bool(pending and pending.status in (ProposalStatus.OPEN, ProposalStatus.RETURNED)),
        "tasks": [t for t in work.tasks.pending() if t.subject in (shown.warning_id, shown.id)],
        "target_names": _target_names(visit),
        "frozen": sorted(shown.artefacts.items()),
    }


def _target_names(visit: Visit) -> dict[str, str]:
    """What stations and partners are called, by channel and key."""
    channels, language = visit.system.facts["channels"], visit.words.language
    groups = {"broadcast": channels["stations"], "webhook": channels["webhooks"]}
    return {
        f"{channel}:{key}": str(entry.get(f"name_{language}", key))
        for channel, entries in groups.items()
        for key, entry in entries.items()
    }


@router.get("/warnings/{name}/retract")
def ask_retract(visit: Visiting, name: str) -> Response:
    """The confirmation of a retraction: on a page of its own, since the board renews itself."""
    with visit.system.store.read() as work:
        warning = find_warning(work, name)
        chain = work.bulletins.of_warning(warning.id)
        factor = factor_asked(visit, work, chain[-1].content) if chain else None
    if not chain:
        raise NotFound("web.not-released", warning=name)
    typed = retraction_words(chain[-1])[0 if visit.words.language == "zh" else 1]
    return visit.page("retract", warning=warning, bulletin=chain[-1], typed=typed, factor=factor)
