"""The archive for people: the newest warnings first, older ones on pages that nothing new moves; and its data."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any

from geowarn_channels.archive_data import data_pages
from geowarn_channels.archive_shelves import Part, Shelf, beside, narrowing, parts_of, shelves_of, standings
from geowarn_channels.area_pages import counties_of
from geowarn_channels.site_entry import LANGUAGES
from geowarn_channels.site_view import SiteView
from geowarn_channels.tree_record import Page, short


class ArchivePages:
    """The pages of the archive of one state; `lasting` and `hours` are what pages depend on beside their warnings."""

    def __init__(
        self,
        facts: Mapping[str, Mapping[str, Any]],
        view: SiteView,
        page: Callable[..., Page],
        lasting: str,
        hours: str,
    ) -> None:
        self._facts, self._view, self._page = facts, view, page
        self._lasting, self._hours = lasting, hours

    @cached_property
    def shelves(self) -> list[Shelf]:
        """The pages, newest first."""
        return shelves_of(self._view.chains(self._view.real))

    def pages(self) -> Iterator[Page]:
        """Every warning by year, so many to a page; the newest year is the archive's first page, which lists them all.

        An older page shows nothing that moves with new warnings: where it leads on to is the page beside it.
        """
        shelves = self.shelves
        for language in LANGUAGES:
            yield self._page(
                "archive", "archive/", language,
                f"{short(self._lasting, self._hours, standings(shelves[0].chains), shelves)}.",
                shelf=shelves[0], shelves=shelves, beside=beside(shelves, 0), parts=parts_of(shelves[0]), history=False,
                uncalibrated=self._view.uncalibrated, **narrowing(self._facts, counties_of(self._view), shelves),
            )  # fmt: skip
            for at, shelf in enumerate(shelves[1:], 1):
                near = beside(shelves, at)
                yield self._page(
                    "archive", shelf.place, language, f"{short(standings(shelf.chains))}.{short(self._lasting, near)}",
                    shelf=shelf, shelves=(), beside=near, parts=parts_of(shelf), history=True, uncalibrated=False,
                )  # fmt: skip

    def data(self) -> Iterator[Page]:
        """The archive as CSV and JSON, a pair of files for so many warnings, and the list of them."""
        return data_pages(self.shelves, self._facts, self._view.state.synthetic, self._lasting)

    @cached_property
    def parts(self) -> list[Part]:
        """All warnings in groups whose addresses stay."""
        return [part for shelf in self.shelves for part in parts_of(shelf)]

    def closed(self) -> list[Part]:
        """The groups in which nothing moves any more."""
        newest = self.shelves[0].year
        return [part for part in self.parts if part.closed(newest, self._view.state.generated)]

    def line_of(self, part: Part) -> Page:
        """What such a group is in the tree's record: one line for all of its pages."""
        return Page(
            f".archive-{part.year}-{part.number}.json", f"{short(standings(part.chains))}.{self._lasting}", bytes
        )
