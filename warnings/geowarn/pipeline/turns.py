"""Many that each have a turn at a tick: what goes wrong with one keeps no other waiting."""

from __future__ import annotations

from collections.abc import Callable, Collection


def each_in_turn(names: Collection[str], turn: Callable[[str], object], what: str) -> int:
    """Give each its turn, in order; returns how many had one.

    Raises ExceptionGroup at the end with all that went wrong, each with a note at whose turn; `what` names a turn.
    """
    faults = []
    for name in names:
        try:
            turn(name)
        except Exception as fault:
            fault.add_note(f"at {what} {name}")
            faults.append(fault)
    if faults:
        raise ExceptionGroup(f"something went wrong at {what}", faults)
    return len(names)
