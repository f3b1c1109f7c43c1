"""Whether anything is there to send what was released."""

from __future__ import annotations

from datetime import datetime, timedelta

from geowarn.ports import UnitOfWork

SILENT_AFTER = timedelta(seconds=60)


def worker_alive(work: UnitOfWork, now: datetime) -> bool:
    """Whether a worker has given a sign of life within the last minute."""
    return bool(work.ticks.alive("worker", now - SILENT_AFTER))
