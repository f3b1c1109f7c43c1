"""How long numbers that were called and names of who answered are kept; the calls themselves stay, without them."""

from __future__ import annotations

from datetime import timedelta

from geowarn.pipeline.actor import SYSTEM
from geowarn.pipeline.desk import Desk


def keep_calls(desk: Desk) -> int:
    """Forget what has been kept for its days after a call ended; returns of how many calls something was forgotten."""
    now, days = desk.clock.now(), desk.policy.calls.keep_days
    with desk.store.begin() as work:
        forgotten = work.calls.forget_before(now - timedelta(days=days))
        if forgotten:
            work.ledger.append(now, SYSTEM, "contacts.forgotten", "contacts", {"calls": forgotten, "days": days})
            work.commit()
    return forgotten
