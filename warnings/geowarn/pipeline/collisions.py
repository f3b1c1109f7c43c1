"""What only met another transaction is done again: whoever told us something tells it once."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial, wraps
from typing import ParamSpec, TypeVar

from geowarn.domain.errors import Collided

T = TypeVar("T")
P = ParamSpec("P")
_PAUSES = (0.05, 0.2, 0.8)  # seconds


def until_through(act: Callable[[], T]) -> T:
    """Do `act`, one whole transaction, again while it only collides; raises Collided where it always does."""
    for pause in _PAUSES:
        try:
            return act()
        except Collided:
            time.sleep(pause)
    return act()


def through(act: Callable[P, T]) -> Callable[P, T]:
    """The act, done again by itself while it only collides."""

    @wraps(act)
    def repeated(*args: P.args, **kwargs: P.kwargs) -> T:
        return until_through(partial(act, *args, **kwargs))

    return repeated
