"""Log lines as JSON on stderr; anything that looks like a telephone number is masked."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog

_NUMBER = re.compile(r"\+\d[\d \-]{6,}\d")


def mask_numbers(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Replace every telephone number in any text of the event (house rule 14)."""
    return {key: _NUMBER.sub("+***", value) if isinstance(value, str) else value for key, value in event.items()}


def configure() -> None:
    """Send log lines to stderr, so that stdout holds what was asked for and nothing else."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            mask_numbers,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=lambda *_: structlog.WriteLogger(sys.stderr),  # where it leads now, not when this was called
        cache_logger_on_first_use=False,
    )
