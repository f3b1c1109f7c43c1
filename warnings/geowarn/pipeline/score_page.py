"""The season report as one HTML file: no script, nothing fetched, Chinese and English in it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from datetime import datetime
from itertools import pairwise
from typing import Any

from geowarn.ports import Templates

_BIN_HOURS = (float("-inf"), 0.0, 1.0, 3.0, 6.0, 12.0, 24.0, 48.0, float("inf"))


def render_page(
    templates: Templates, values: Mapping[str, Any], names: Mapping[str, Mapping[str, str]], office: Mapping[str, str]
) -> str:
    """The page of `values`; `names` by area code and language, `office` by language.

    Its style stands in the page under a policy that allows this very style by its digest and nothing else.
    """
    style = templates.render("score/page.css.j2")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return templates.render(
        "score/page.html.j2",
        r=values,
        names=names,
        office=office,
        style=style,
        style_digest=digest,
        bins=lead_bins(values),
        moment=datetime.fromisoformat,
    )


def lead_bins(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Lead times in hours as counts of half-open bins [low, high); open edges are None."""
    leads = [one["least"] for one in values["leads"]["each"] if one["least"] is not None]
    found = []
    for low, high in pairwise(_BIN_HOURS):
        count = sum(low <= lead < high for lead in leads)
        found.append({"low": _edge(low), "high": _edge(high), "count": count})
    return found


def _edge(hours: float) -> float | None:
    return None if abs(hours) == float("inf") else hours
