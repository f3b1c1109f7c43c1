"""The child's side of a decoder in a process of its own: limits, the conversation, and how numbers are put away.

Imported by children only together with the standard library, numpy and one decoder. On standard input come two
lines of JSON: the request (`files`, `limits`) and, once `described.json` lies in the working folder, the plan. On
standard output go lines `@[...]`: `begin` file place, `described`, `done` at size lowest highest, `refused` key facts.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from geowarn.sources.limits import die_with, limit_resources

_HUNDREDTH = 0.01  # of a packing step: by so much float32 may round what is kept
# Written for "missing" where a producer declares nothing; all of them beyond what can fall
_WRITTEN_MISSING = (-99.0, -999.0, -9999.0, -99999.0, -32768.0, 9999.0, 99999.0, 9.999e20, 1e20)
_LOWEST, _HIGHEST = -90.0, 9999.0


class Bad(Exception):
    """A file that is refused, with the catalogue key and its facts."""

    def __init__(self, key: str, **facts: object) -> None:
        super().__init__(key)
        self.key, self.facts = key, facts


class Decoder(Protocol):
    """What a decoding child does between the lines."""

    def describe(self) -> dict[str, Any]:
        """Everything but values; raises Bad."""
        ...

    def decode(self, item: Mapping[str, Any]) -> None:
        """One item of the plan: its values go to `put_away`; raises Bad."""
        ...


def say(*words: object) -> None:
    """One line to the parent."""
    print("@" + json.dumps(words), flush=True)


def put_away(at: int, values: NDArray[Any], quantum: float) -> None:
    """Write mm values as field `at`: float32 where that rounds by less than 1 % of the packing step, else float64.

    float32 rounds by at most 2^-24 of a number. Raises Bad for an infinite number.
    """
    lowest, highest = float(np.fmin.reduce(values)), float(np.fmax.reduce(values))
    largest = max(abs(lowest), abs(highest))
    if np.isinf(largest):
        raise Bad("decoding.infinite")
    fine = largest * 2.0**-24 > _HUNDREDTH * quantum
    np.save(f"field-{at}.npy", values if fine else values.astype(np.float32, copy=False))
    say("done", at, values.size, lowest, highest)


def without_written_missing(
    values: NDArray[np.float64], step: float, others: Sequence[float] = ()
) -> NDArray[np.float64]:
    """NaN for numbers that stand for missing and cannot be rain, and for `others`; `step` is the packing step."""
    beyond = np.fmin.reduce(values, axis=None) < _LOWEST or np.fmax.reduce(values, axis=None) >= _HIGHEST
    for number in (*others, *(_WRITTEN_MISSING if beyond else ())):
        near = abs(number) * max(1e-6, min(step / abs(number), 1e-4))
        values[np.abs(values - number) <= near] = np.nan
    return values


def run(begin: Callable[[Sequence[Path], Mapping[str, int]], Decoder]) -> None:
    """Hold the whole conversation; a refusal is an answer too."""
    die_with(int(sys.argv[1]))
    request = json.loads(sys.stdin.readline())
    limit_resources(request["limits"]["memory"], request["limits"]["seconds"])
    try:
        decoder = begin([Path(file) for file in request["files"]], request["limits"])
        Path("described.json").write_text(json.dumps(decoder.describe()), "utf-8")
        say("described")
        for item in json.loads(sys.stdin.readline() or "[]"):
            decoder.decode(item)
    except Bad as bad:
        say("refused", bad.key, bad.facts)
    except MemoryError:
        say("refused", "decoding.memory", {})
    sys.stdout.flush()
    os._exit(0)  # decoders have been seen to crash while the interpreter goes down
