"""Programs of the machine that some tests need: where one is missing a test says so, and in CI it fails."""

from __future__ import annotations

import os
import shutil
from typing import NoReturn

import pytest


def program(required: str, *names: str) -> str:
    """The path of the first of these programs; `required` is the variable that makes its absence a failure."""
    for name in names:
        if found := shutil.which(name):
            return found
    missing(required, names[0])


def missing(required: str, what: str) -> NoReturn:
    """Fail where `required` is set, else leave the test out."""
    reason = f"not run: no {what}"
    if os.environ.get(required) == "1":
        pytest.fail(reason)
    pytest.skip(reason)
