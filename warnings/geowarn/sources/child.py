"""Runs a decoder in a process of its own and speaks with it line by line; see `geowarn.sources.decoding`.

The child gets a request, answers with what it found (headers, no values), gets a plan, and then announces one
field after the other while the parent already works on the earlier ones. It sees the environment only as far as
`_PASSED_ON`, and it never outlives the parent's interest: leaving the `with` block ends it.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import geowarn
from geowarn.domain.errors import Refused
from geowarn.sources.stored import Folder, Stored

# What a decoder needs to find itself and its tables; everything else, our secrets first, stays here.
_PASSED_ON = (
    "PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR",
    "VIRTUAL_ENV", "PYTHONHOME", "PYTHONPATH", "ECCODES_DIR", "ECCODES_DEFINITION_PATH", "ECCODES_SAMPLES_PATH",
    "HDF5_PLUGIN_PATH",
)  # fmt: skip


class Child:
    """One decoding child: `with Child(...) as child:`; `names` are the files' names for messages."""

    def __init__(self, module: str, request: Mapping[str, Any], folder: Folder, names: Sequence[str]) -> None:
        self.module, self.request, self.folder, self.names = module, request, folder, names
        self.seconds: int = request["limits"]["seconds"]
        self._done: dict[int, Stored] = {}
        self._begun = (0, "")
        self._late = False

    def __enter__(self) -> Self:
        # With -P nothing is imported from the working folder.
        self._process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-P", "-B", "-m", self.module, str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
            cwd=self.folder.path,
        )
        self._timer = threading.Timer(self.seconds, self._too_late)
        self._timer.daemon = True
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                pipe.close() if pipe else None

    def describe(self) -> dict[str, Any]:
        """What the child found in the files; raises Refused with its reason."""
        self._tell(self.request)
        while (answer := self._next()) is not None:
            if answer[0] == "described":
                found: dict[str, Any] = json.loads((self.folder.path / "described.json").read_text("utf-8"))
                return found
        raise self._failure()

    def decode(self, plan: Sequence[Mapping[str, Any]]) -> None:
        """Have these fields decoded, in this order; `at` is the number each is asked for by."""
        self._tell(plan)

    def field(self, at: int) -> Stored:
        """Field `at` of the plan, waited for; raises Refused where it cannot be had. Each can be had once."""
        while at not in self._done:
            if self._next() is None:
                raise self._failure()
        return self._done.pop(at)

    def _tell(self, message: object) -> None:
        assert self._process.stdin is not None  # noqa: S101
        with contextlib.suppress(OSError):  # a dead child says so when it is read
            self._process.stdin.write(json.dumps(message).encode() + b"\n")
            self._process.stdin.flush()

    def _next(self) -> list[Any] | None:
        """The child's next line; None at its end. What it says of progress and of finished fields is kept."""
        assert self._process.stdout is not None  # noqa: S101
        for line in self._process.stdout:
            if not line.startswith(b"@"):  # a library below may print
                continue
            answer: list[Any] = json.loads(line[1:])
            if answer[0] == "begin":
                self._begun = (answer[1], answer[2])
            elif answer[0] == "done":
                at, size, lowest, highest = answer[1:]
                path = self.folder.path / f"field-{at}.npy"
                self._done[at] = Stored(self.folder, path, size, lowest, highest)
            elif answer[0] == "refused":
                raise self._refusal(answer[1], answer[2])
            return answer
        return None

    def _too_late(self) -> None:
        self._late = True
        self._process.kill()

    def _refusal(self, key: str, facts: Mapping[str, Any]) -> Refused:
        known = {"limit": self.request["limits"].get("points"), "file": self.names[self._begun[0]]}
        return Refused(key, **known | {"place": self._begun[1] or "-"} | dict(facts))

    def _failure(self) -> Refused:
        file, place = self.names[self._begun[0]], self._begun[1] or "-"
        if self._late:
            return Refused("decoding.timeout", file=file, place=place, seconds=self.seconds)
        code = self._process.wait()
        reason = _signal_name(-code) if code < 0 else f"exit {code}"
        return Refused("decoding.crashed", file=file, place=place, reason=reason)


def _environment() -> dict[str, str]:
    own = {key: os.environ[key] for key in _PASSED_ON if key in os.environ}
    root = str(Path(geowarn.__file__).parents[1])
    # What the operator puts first comes first here too, as it does in this process.
    path = os.pathsep.join([own["PYTHONPATH"], root] if "PYTHONPATH" in own else [root])
    return own | {"PYTHONPATH": path, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


def _signal_name(number: int) -> str:
    with contextlib.suppress(ValueError):
        return signal.Signals(number).name
    return f"signal {number}"
