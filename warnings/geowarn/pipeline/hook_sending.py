"""Deliveries → partners: signed, tried until given up, each target in a lane of its own."""

from __future__ import annotations

import random
import threading
import time
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from geowarn.domain.partner import DeliveryState, Hook, HookDelivery, hook_back_off, signature
from geowarn.domain.task import Task
from geowarn.pipeline.actor import SYSTEM
from geowarn.pipeline.hooks import DISABLED_TASK
from geowarn.pipeline.propose import new_id
from geowarn.ports import Clock, HookAnswer, HookAttempt, HookCall, HookPost, Store, UnitOfWork, Vault

_HAD_IT = 409  # the partner knows this delivery already


@dataclass(frozen=True, slots=True)
class HookOffice:
    """What sending to hooks needs; a claim outlives the longest call."""

    store: Store
    clock: Clock
    vault: Vault
    post: HookPost
    lease: timedelta
    give_up: timedelta  # a delivery, counted from the event or from when its hook was switched on again
    disable: timedelta  # a hook at which nothing has arrived for so long


def send_next(office: HookOffice, hook_id: str, delivery_id: str | None = None) -> HookDelivery | None:
    """Send the oldest due delivery of one hook, or the one named; None where there is none.

    It is marked before the call, so no one else makes the same call meanwhile. After a crash it is sent again: its id
    tells the partner that it is a repeat.
    """
    now = office.clock.now()
    with office.store.begin() as work:
        hook = work.hooks.get(hook_id)
        if hook is None or hook.disabled_at is not None:
            return None
        until = now + office.lease
        if delivery_id is None:
            taken = work.hooks.claim(hook_id, now, until)
        else:
            taken = work.hooks.claim_one(delivery_id, now, until)
        if taken is None:
            return None
        work.commit()
    began = time.monotonic()
    answer = office.post(_call(office, hook, taken, now))
    spent = int((time.monotonic() - began) * 1000)
    ended = office.clock.now()
    after = judged(office, hook, taken, answer, ended, random.random())  # noqa: S311 - spreads tries, keeps no secret
    after = replace(after, milliseconds=spent)
    with office.store.begin() as work:
        if work.hooks.get(hook_id) is None:  # removed meanwhile
            return after
        work.hooks.record(after, HookAttempt(after.id, ended, answer.status, spent, after.fault))
        _follow(office, work, hook_id, after.state is DeliveryState.DELIVERED, ended)
        work.commit()
    return after


def _call(office: HookOffice, hook: Hook, delivery: HookDelivery, now: datetime) -> HookCall:
    body = delivery.body.encode()
    secret = office.vault.open(hook.secret_sealed)
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "geowarn",
        "Idempotency-Key": delivery.id,
        "X-Geowarn-Event": delivery.event.value,
        "X-Geowarn-Signature": signature(secret, int(now.timestamp()), body),
    }
    return HookCall(hook.url, headers, body)


def judged(
    office: HookOffice, hook: Hook, taken: HookDelivery, answer: HookAnswer, now: datetime, chance: float
) -> HookDelivery:
    """What becomes of a delivery after one try; what waited while its hook was left alone has its whole time again."""
    tried = replace(taken, attempts=taken.attempts + 1, status=answer.status, lease_until=None, next_try_at=None)
    if answer.status is not None and (200 <= answer.status < 300 or answer.status == _HAD_IT):
        return replace(tried, state=DeliveryState.DELIVERED, fault=None)
    fault = answer.fault or "partners.turned-away"
    due = now + hook_back_off(tried.attempts, chance)
    since = max(taken.created_at, hook.enabled_at or taken.created_at)
    if due >= since + office.give_up:
        return replace(tried, state=DeliveryState.GIVEN_UP, fault=fault)
    return replace(tried, state=DeliveryState.NEW, fault=fault, next_try_at=due)


def _follow(office: HookOffice, work: UnitOfWork, hook_id: str, arrived: bool, now: datetime) -> None:
    """Since when nothing arrives at the hook; after too long it is left alone, and a person is told."""
    hook = work.hooks.get(hook_id)
    if hook is None or hook.disabled_at is not None:
        return
    if arrived:
        if hook.failing_since is not None:
            work.hooks.mark(hook_id, None, None)
        return
    since = hook.failing_since or now
    if now - since < office.disable:
        work.hooks.mark(hook_id, since, None)
        return
    work.hooks.mark(hook_id, since, now)
    facts = {"owner": hook.owner, "failing_since": since.isoformat()}
    work.ledger.append(now, SYSTEM, "hook.disabled", hook_id, facts)
    if work.tasks.open(Task(new_id("t"), DISABLED_TASK, hook_id, now, facts=facts)):
        work.ledger.append(now, SYSTEM, "task.opened", hook_id, {"kind": DISABLED_TASK})


class HookLanes:
    """One thread a hook that has something to send: a slow or dead target holds up no other."""

    def __init__(self, office: HookOffice) -> None:
        self._office = office
        self._busy: dict[str, threading.Thread] = {}

    def step(self, stop: threading.Event) -> int:
        """Start a lane for every hook with something due and none running; returns how many were started."""
        with self._office.store.read() as work:
            due = work.hooks.due(self._office.clock.now())
        self._busy = {hook: lane for hook, lane in self._busy.items() if lane.is_alive()}
        waiting = [hook_id for hook_id in due if hook_id not in self._busy]
        for hook_id in waiting:
            lane = threading.Thread(target=self._work, args=(hook_id, stop), name=f"hook-{hook_id}", daemon=True)
            self._busy[hook_id] = lane
            lane.start()
        return len(waiting)

    def _work(self, hook_id: str, stop: threading.Event) -> None:
        while not stop.is_set() and send_next(self._office, hook_id) is not None:
            pass

    def join(self, seconds: float) -> None:
        """See the calls under way through."""
        for lane in self._busy.values():
            lane.join(seconds)
