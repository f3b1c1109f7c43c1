"""The pages of incidents and of answers: their lists, each at its own address, and every version as it stood."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from geowarn_channels.site_view import SiteView
from geowarn_channels.tree_record import Page


def statement_pages(view: SiteView, language: str, page: Callable[..., Page]) -> Iterator[Page]:
    """Every page of both kinds in one language; `page` draws a template at a place."""
    for name, known in (("incident", view.incidents), ("answer", view.answers)):
        yield page(f"{name}s", f"{name}s/", language, "")
        for shown in known:
            yield page(name, f"{name}s/{shown.id}/", language, "", incident=shown)
            for published in shown.published.publications:
                old = replace(shown, version=published.version)
                yield page(name, f"{name}s/{shown.id}/v{published.version}/", language, "", incident=old)
