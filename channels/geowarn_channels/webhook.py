"""Pushes a bulletin to partners: the city government's site, a 12379 desk, a WebSub hub; over HTTP or into a folder.

Each partner takes one form: `cap` (the signed CAP messages), `json` (one document), `cn` (the CAP-like file of the
12379 desks) or `websub` (the hub is told that the feeds changed). Every request carries an HMAC over time and body,
and the same key again for the same file, so a partner can tell a repeat; repeating is therefore safe.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from geowarn.domain.dispatch import Outcome
from geowarn.domain.errors import PermanentFailure, TemporaryFailure
from geowarn.domain.exercise import exercise_facts, is_exercise
from geowarn.domain.package import Artefact
from geowarn.ports import BulletinDraft, ChannelContext, Delivery, Limits, Message, Receipt, Target
from geowarn_channels.cn_message import cn_messages, cn_name
from geowarn_channels.course import public_areas
from geowarn_channels.push_carriers import Parcel, drop, post
from geowarn_channels.push_document import DOCUMENT, document
from geowarn_channels.push_partners import Partner, partners_of
from geowarn_channels.site_tree import shows, tree_of
from geowarn_channels.tree_writing import STATE

CAP = "website/cap/"
FEEDS = ("feeds/warnings.rss", "feeds/warnings.atom", "feeds/cap.rss", "feeds/cap.atom")


class WebhookChannel:
    """`geowarn.ports.Channel` for every partner in `[webhooks]` of channels.toml."""

    name = "webhook"
    limits = Limits(
        ("zh", "en"), longest=None, repeat_is_safe=True, batch=10, concurrency=4, exercises=True, carries=(CAP,)
    )
    timeout_seconds = 30.0

    def __init__(self, context: ChannelContext) -> None:
        self._context = context
        self._partners = partners_of(context.settings["channels"].get("webhooks", {}))

    def prepare(self, draft: BulletinDraft) -> Message:
        """The document for every partner, and a file a level for each that takes the 12379 form."""
        if not public_areas(draft):
            return Message(self.name, ())
        templates = self._context.templates
        found = [Artefact(DOCUMENT, "application/json", document(draft, templates))]
        for partner in self._partners.values():
            if partner.form == "cn":
                files = cn_messages(draft, templates, partner)
                found += [Artefact(path, "application/xml", body) for path, body in files.items()]
        return Message(self.name, tuple(found))

    def send(self, delivery: Delivery, target: Target) -> Receipt:
        """Carry every file of the partner's form, in order; raises TemporaryFailure or PermanentFailure.

        An exercise or synthetic input never reaches a live partner.
        """
        partner = self._partners.get(target.address)
        if partner is None:
            raise PermanentFailure("webhook.unknown-partner", code=target.address[:40], alarm=True)
        if partner.live and self._is_unreal(delivery):
            raise PermanentFailure("webhook.live-partner", code=partner.name)
        parcels = self._parcels(partner, delivery)
        for parcel in parcels:
            if partner.folder is not None:
                drop(partner.folder, parcel)
            else:
                post(partner, parcel, f"{target.dispatch_id}-{parcel.name}", self._context.clock.now())
        return Receipt(Outcome.ACCEPTED, detail=", ".join(parcel.name for parcel in parcels))

    def _parcels(self, partner: Partner, delivery: Delivery) -> list[Parcel]:
        files, slug = delivery.artefacts, delivery.bulletin.slug
        if partner.form == "json":
            return [Parcel(f"{slug}.json", "application/json", files[DOCUMENT])]
        if partner.form == "websub":
            return self._announcement(slug, is_exercise(delivery.bulletin))
        if partner.form == "cn":
            own = sorted(path for path in files if path.startswith(f"webhook/{partner.name}/"))
            return [Parcel(cn_name(files[path]), "application/xml", files[path]) for path in own]
        caps = sorted(path for path in files if path.startswith(CAP))
        return [Parcel(f"{slug}-{path.rpartition('/')[2]}", "application/cap+xml", files[path]) for path in caps]

    def _announcement(self, slug: str, exercise: bool) -> list[Parcel]:
        """What a hub is told, once the tree shows the bulletin: a hub that fetched earlier would spread old feeds."""
        settings = exercise_facts(self._context.settings) if exercise else self._context.settings
        if not shows(tree_of(self._context.data_dir, exercise) / STATE, slug):
            raise TemporaryFailure("webhook.not-published-yet")
        base = settings["site"]["public_url"]
        pairs = "&".join(["hub.mode=publish", *(f"hub.url={base}/{feed}" for feed in FEEDS)])
        return [Parcel("websub", "application/x-www-form-urlencoded", pairs.encode())]

    def _is_unreal(self, delivery: Delivery) -> bool:
        installation: Mapping[str, Any] = self._context.settings["installation"]
        content = delivery.bulletin.content
        return is_exercise(delivery.bulletin) or content.synthetic or bool(installation["synthetic"])
