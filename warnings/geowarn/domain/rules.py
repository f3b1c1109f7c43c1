"""Rule sets: thresholds are data with a version and a digest, never code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class RuleSet:
    """One version of one model's parameters; `text` is the file as it was read, `digest` its SHA-256."""

    name: str
    version: str
    model: str
    calibrated: bool  # False: "uncalibrated default" stands on every screen and in the pack
    parameters: Mapping[str, Any]
    sources: tuple[str, ...]
    text: str
    digest: str
