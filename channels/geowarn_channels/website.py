"""Carries a bulletin to the public: a complete static tree that any server can show, read back by its hashes."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from geowarn.domain.dispatch import Outcome
from geowarn.domain.errors import PermanentFailure, Refused, TemporaryFailure
from geowarn.domain.exercise import TARGET, exercise_facts, is_exercise
from geowarn.domain.package import Artefact
from geowarn.ports import BulletinDraft, ChannelContext, Delivery, Limits, Message, Receipt, SiteState, Target
from geowarn_channels.cap import cap_messages
from geowarn_channels.cap_rules import check_cap
from geowarn_channels.cap_signature import MEDIA_TYPE, load_signer, published_certificates
from geowarn_channels.course import public_areas
from geowarn_channels.site_entry import site_artefacts
from geowarn_channels.site_seen import TreeLook, Unseen, see
from geowarn_channels.site_tree import bulletin_files, doubt_tree, rebuilt, tree_of, write_messages, write_state
from geowarn_channels.svg_map import MapBases
from geowarn_channels.tree_rest import Rest, Tell

_FULL = (errno.ENOSPC, errno.EDQUOT)


class WebsiteChannel:
    """Pages, feeds, CAP messages, state and map as files below `<data>/public/`."""

    name = "website"
    limits = Limits(languages=("zh", "en"), longest=None, repeat_is_safe=True, batch=1, concurrency=1, exercises=True)

    def __init__(self, context: ChannelContext) -> None:
        self._context = context
        self._bases = MapBases()
        self._look = TreeLook()

    def prepare(self, draft: BulletinDraft) -> Message:
        """Render what the website freezes; a CAP message that breaks schema or rules is a problem."""
        if not public_areas(draft):
            return Message(self.name, ())
        templates = self._context.templates
        caps = cap_messages(draft, templates)
        problems = [problem for body in caps.values() for problem in check_cap(body)]
        problems += self._key_problems()
        messages = (Artefact(path, MEDIA_TYPE, body) for path, body in caps.items())
        return Message(self.name, (*site_artefacts(templates, draft), *messages), problems=tuple(problems))

    def seal(self, artefact: Artefact) -> Artefact:
        """A CAP message signed where the installation demands it (house rule 11); raises Refused without a key."""
        if artefact.media_type != MEDIA_TYPE or not self._demands_signature:
            return artefact
        signer = load_signer(self._context.data_dir / "keys", self._context.clock.now())
        return replace(artefact, body=signer.sign(artefact.body))

    def _key_problems(self) -> list[tuple[str, Mapping[str, Any]]]:
        """Without a key nobody should sign off what could not leave."""
        try:
            if self._demands_signature:
                load_signer(self._context.data_dir / "keys", self._context.clock.now())
        except Refused as refusal:
            return [(refusal.key, refusal.facts)]
        return []

    @property
    def _demands_signature(self) -> bool:
        return bool(self._facts["cap"]["signature"] == "required")

    def publish(self, state: SiteState) -> list[str]:
        """Write the tree for `state` unless a newer sequence is already there; returns what of it could not be drawn.

        Exercises have a tree of their own, as whole as this one, which is written once there is any. Raises OSError.
        """
        undrawn: list[str] = []
        for exercise in (False, True):
            if not exercise or any(is_exercise(found.bulletin) for found in state.bulletins):
                rest = self._write(state, exercise)
                if rest is not None:
                    rest.write()
                    undrawn += rest.undrawn
        return undrawn

    def rebuild(self, tell: Tell) -> None:
        """Draw and compare every file of the tree again, and of that of exercises where there is one.

        What is right stays untouched, the home pages come last. `tell` hears (done, of). One that was broken off goes
        on where it stopped. Raises OSError.
        """
        for exercise in (False, True):
            root = self._root(exercise)
            if exercise and not root.exists():
                continue
            doubt_tree(root)
            while not self._brought(exercise, tell):
                pass  # a release or the clock came in between: the tree is brought to that state
            rebuilt(root)

    def _brought(self, exercise: bool, tell: Tell) -> bool:
        rest = self._write(self._context.site_state(), exercise, tell)
        return rest is not None and rest.write(tell)

    def _write(self, state: SiteState, exercise: bool, tell: Tell = lambda _done, _of: None) -> Rest | None:
        certificates = published_certificates(self._context.data_dir / "keys")
        facts = exercise_facts(self._facts) if exercise else self._facts
        root, templates = self._root(exercise), self._context.templates
        return write_state(root, templates, facts, state, certificates, self._bases, exercise, tell)

    def _root(self, exercise: bool) -> Path:
        return tree_of(self._context.data_dir, exercise)

    def send(self, delivery: Delivery, target: Target) -> Receipt:
        """Write the whole state, then look at it from outside; delivered only when the public address shows it.

        Pages on which only the hour would change are left to the next `publish`: nothing urgent waits for them.
        """
        exercise = is_exercise(delivery.bulletin)
        facts = exercise_facts(self._facts) if exercise else self._facts
        url = facts["site"]["public_url"]
        if exercise and (target.address != TARGET or url == self._facts["site"]["public_url"]):
            raise PermanentFailure("exercise.site-refused", alarm=True)
        try:
            # Whoever polls for the message itself waits neither for the state to be read nor for a page.
            write_messages(self._root(exercise), delivery.artefacts)
            self._write(self._context.site_state(delivery.bulletin.id), exercise)
        except OSError as error:
            reason = "the disk is full" if error.errno in _FULL else f"not written: {error.strerror or error}"
            raise TemporaryFailure(reason, code=errno.errorcode.get(error.errno or 0, ""), alarm=True) from error
        try:
            see(url, self._root(exercise), bulletin_files(delivery.bulletin, delivery.artefacts))
        except Unseen as unseen:
            return Receipt(Outcome.ACCEPTED, detail=f"written, not seen: {unseen}")
        return Receipt(Outcome.DELIVERED, detail="seen")

    def unseen(self) -> tuple[str, ...]:
        """Files of the real tree that its public address shows otherwise than written, in words for a log."""
        return self._look.wrong(self._facts["site"]["public_url"], self._root(exercise=False))

    @property
    def _facts(self) -> Mapping[str, Mapping[str, Any]]:
        return self._context.settings
