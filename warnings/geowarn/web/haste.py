"""How often one address, and everybody together, may ask a public page that costs something to answer.

In memory, for one process: it keeps a busy-body off, and what must hold across processes is counted in the store. An
address is only ever a keyed hash of the day.
"""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock

from starlette.requests import Request

from geowarn.domain.errors import TooOften
from geowarn.pipeline.voices import from_key
from geowarn.web.access import origin_of, system_of

_MOST_KEYS = 50_000  # addresses told apart within one window; the rest share one count


@dataclass(frozen=True, slots=True)
class Pace:
    """How often within `seconds`: from one address, and from all."""

    name: str
    mine: int
    all: int
    seconds: int = 60


class Haste:
    """Counts within windows that begin anew together."""

    def __init__(self) -> None:
        self._counts: dict[str, tuple[int, dict[str, int]]] = {}
        self._lock = Lock()

    def count(self, pace: Pace, key: str, moment: float) -> bool:
        """Count one asking; returns whether it is within the pace."""
        window = int(moment // pace.seconds)
        with self._lock:
            began, counts = self._counts.get(pace.name, (window, {}))
            if began != window:
                counts = {}
            self._counts[pace.name] = (window, counts)
            if key not in counts and len(counts) >= _MOST_KEYS:
                key = "others"
            counts[key] = counts.get(key, 0) + 1
            if counts[key] > pace.mine:
                return False  # and not counted for all: one address alone keeps nobody else off
            counts[""] = counts.get("", 0) + 1
            return counts[""] <= pace.all


def keep_pace(request: Request, pace: Pace) -> None:
    """Raise TooOften where this address, or everybody, asks too often."""
    system = system_of(request)
    now = system.clock.now()
    haste: Haste = request.app.state.haste
    if not haste.count(pace, from_key(system.vault, origin_of(request), now), now.timestamp()):
        raise TooOften("web.haste", seconds=pace.seconds)
