"""What only met another transaction is done again: whoever told us something tells it once."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from geowarn.domain.errors import Collided

T = TypeVar("T")
_PAUSES = (0.05, 0.2, 0.8)  # seconds


def until_through(act: Callable[[], T]) -> T:
    """Do `act`, one whole transaction, again while it only collides; raises Collided where it always does."""
    for pause in _PAUSES:
        try:
            return act()
        except Collided:
            time.sleep(pause)
    return act()
