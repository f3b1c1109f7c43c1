"""The engine's entry points: send one shard, run everything that is due, let the late expire.

`send_shard` is what a job says, whoever says it; `run_due` is one pass of the sweeper. The work is done by
`lane.Lane`; rows in doubt are settled by `reconcile`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from geowarn.pipeline.lane import Lane
from geowarn.pipeline.outcome import SYSTEM, Pace
from geowarn.pipeline.reconcile import reconcile
from geowarn.ports import Channel, Clock, Store, Vault


def send_shard(
    store: Store,
    channel: Channel,
    vault: Vault,
    clock: Clock,
    owner: str,
    shard: str,
    pace: Pace | None = None,
    trials: Collection[str] = frozenset(),
) -> None:
    """Send what is still new in one shard; a lost or repeated call of this does no harm."""
    lane = Lane(store, channel, vault, clock, owner, pace, only=shard, trials=trials)
    try:
        lane.drain()
    finally:
        lane.close()


def expire(store: Store, clock: Clock) -> int:
    """Rows past their not-after say so; returns how many (house rule 6)."""
    with store.begin() as work:
        now = clock.now()
        count = work.dispatches.expire(now)
        if count:
            work.ledger.append(now, SYSTEM, "dispatch.expired", "dispatches", {"count": count})
            work.commit()
    return count


def run_due(
    store: Store, channels: Iterable[Channel], vault: Vault, clock: Clock, owner: str, pace: Pace | None = None
) -> None:
    """One pass: the late expire, what is in doubt is asked about, what is due is sent, channel by channel."""
    expire(store, clock)
    for channel in channels:
        reconcile(store, channel, vault, clock, pace or Pace())
        lane = Lane(store, channel, vault, clock, owner, pace)
        try:
            lane.drain()
        finally:
            lane.close()
