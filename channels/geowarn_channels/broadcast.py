"""The broadcasters' channel: a folder a station, which the station polls by its key."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from geowarn.domain.dispatch import Outcome
from geowarn.domain.errors import PermanentFailure, TemporaryFailure
from geowarn.domain.package import Artefact
from geowarn.ports import BulletinDraft, ChannelContext, Delivery, Limits, Message, Receipt, SiteState, Target
from geowarn_channels.broadcast_item import LANGUAGES, PATH, item_bytes, item_of, measures_of
from geowarn_channels.course import public_levels
from geowarn_channels.files import holds, locked, sweep, write_all
from geowarn_channels.station_feed import feed_atom, index_json, is_unreal, items_for

INDEX = "items.json"
FEED = "feed.atom"


class BroadcastChannel:
    """Frozen items, crawl and script for stations; sending the same item again does no harm."""

    name = "broadcast"
    limits = Limits(languages=LANGUAGES, longest=None, repeat_is_safe=True, batch=50, concurrency=4, exercises=True)

    def __init__(self, context: ChannelContext) -> None:
        self._context = context
        self._stations: Mapping[str, Mapping[str, Any]] = context.settings["channels"]["stations"]
        self._root = context.data_dir / "broadcast"
        self._swept: set[str] = set()  # items stay for ever, so a folder is looked through once

    def prepare(self, draft: BulletinDraft) -> Message:
        """The station item of a bulletin with the lengths and seconds of its texts."""
        if not public_levels(draft):
            return Message(self.name, ())
        item = item_of(draft, self._context.templates)
        return Message(self.name, (Artefact(PATH, "application/json", item_bytes(item)),), measures_of(item))

    def send(self, delivery: Delivery, target: Target) -> Receipt:
        """Put the frozen item where the station polls; accepted, because only its poll delivers it.

        Raises PermanentFailure for a station that is not configured, and for an exercise or synthetic input on its
        way to a live one; TemporaryFailure when the disk refuses.
        """
        station = self._stations.get(target.address)
        if station is None:
            raise PermanentFailure(f"no station is called {target.address}", code="unknown-station")
        if station["live"] and is_unreal(delivery.bulletin, self._context.settings):
            raise PermanentFailure("an exercise or synthetic input never reaches a live station", code="live-station")
        body = delivery.artefacts[PATH]
        own = f"items/{delivery.bulletin.slug}.json"
        folder = self._root / target.address
        try:
            write_all(folder, {own: body})
            self._show(self._context.site_state(delivery.bulletin.id), target.address)
            if not holds(folder / own, body):
                raise TemporaryFailure("the station's item does not read back as written", code="read-back")
        except OSError as error:
            raise TemporaryFailure(f"the station's folder: {error.strerror}", code="disk") from error
        return Receipt(Outcome.ACCEPTED, detail=f"sequence {_sequence(folder / INDEX)}")

    def publish(self, state: SiteState) -> None:
        """The heartbeat: every station's index for `state`, unless a newer one is there."""
        for station in self._stations:
            self._show(state, station)

    def _show(self, state: SiteState, station: str) -> None:
        """Items first, then the feed, the index last; older states change nothing."""
        folder, settings = self._root / station, self._context.settings
        items = items_for(state, bool(self._stations[station]["live"]), settings)
        with locked(folder / ".lock"):
            if state.sequence < _sequence(folder / INDEX):
                return
            if station not in self._swept:
                sweep(folder)
                self._swept.add(station)
            write_all(folder, {item.file: item.body for item in items})
            write_all(folder, {FEED: feed_atom(state, items, station, settings)})
            write_all(folder, {INDEX: index_json(state, items, station, settings)})


def _sequence(index: Path) -> int:
    """The sequence number of an index; -1 where there is none that can be read."""
    try:
        return int(json.loads(index.read_bytes())["sequence"])
    except (OSError, ValueError, KeyError):
        return -1
