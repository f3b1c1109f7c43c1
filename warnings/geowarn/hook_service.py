"""Partners' hooks of one installation: what the worker steps, and what the test button sends through."""

from __future__ import annotations

import threading
from datetime import timedelta
from urllib.parse import urlsplit

from geowarn.bootstrap import System
from geowarn.catalogue import say
from geowarn.domain.exercise import Pages
from geowarn.domain.partner import HookDelivery
from geowarn.outgoing import Outgoing
from geowarn.pipeline.hook_events import derive
from geowarn.pipeline.hook_sending import HookLanes, HookOffice, send_next
from geowarn.pipeline.hooks import By, HookPlaces, queue_test


def hook_places(system: System) -> HookPlaces:
    """Where hooks of this installation may lead."""
    return HookPlaces(system.settings.installation.synthetic, system.settings.partners.private_addresses)


def hook_office(system: System) -> HookOffice:
    """What sending to partners' hooks needs; a claim outlives two calls."""
    settings = system.settings.partners
    return HookOffice(
        store=system.store,
        clock=system.clock,
        vault=system.vault,
        post=Outgoing(hook_places(system), settings.hook_seconds),
        lease=timedelta(seconds=2 * settings.hook_seconds + 10),
        give_up=timedelta(hours=settings.hook_give_up_hours),
        disable=timedelta(days=settings.hook_disable_days),
    )


class HookService:
    """Reads the ledger for hooks and keeps their lanes going; the worker calls `step` every second."""

    def __init__(self, system: System, stop: threading.Event) -> None:
        self._system, self._stop = system, stop
        self._lanes = HookLanes(hook_office(system))

    def step(self) -> None:
        """Derive what has happened, send what is due."""
        system = self._system
        derive(system.store, system.clock, system.policy.publish_from, Pages.by(system.facts))
        self._lanes.step(self._stop)


def ping_now(system: System, by: By, hook_id: str) -> HookDelivery:
    """Send a `ping` at once and return what came of it; raises NotFound, or Refused for a hook left alone."""
    made = queue_test(system.store, system.clock, by, hook_id)
    return send_next(hook_office(system), hook_id, made.id) or made


def fault_line(delivery: HookDelivery, url: str, language: str) -> str | None:
    """Why the last try failed, in words; None where it did not."""
    if delivery.fault is None:
        return None
    return say(delivery.fault, language, host=urlsplit(url).hostname, url=url, status=delivery.status)
