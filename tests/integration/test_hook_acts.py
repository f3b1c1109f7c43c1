"""Subscriptions: who may touch which, in which order they are told, and how one is switched on again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from starlette.testclient import TestClient
from tests.integration.api_desk import ApiDesk
from tests.integration.conftest import SettableClock

from geowarn.bootstrap import System
from geowarn.domain.errors import NotEntitled, NotFound, Refused
from geowarn.domain.exercise import Pages
from geowarn.domain.partner import DeliveryState, Hook, Scope
from geowarn.hook_service import hook_office, hook_places, ping_now
from geowarn.pipeline.hook_events import derive
from geowarn.pipeline.hook_sending import HookOffice, send_next
from geowarn.pipeline.hooks import By, Keyholder, add_hook, enable_hook, queue_test, remove_hook
from geowarn.pipeline.partner_keys import admit
from geowarn.pipeline.release import retract, retraction_words
from geowarn.ports import HookAnswer, HookCall
from geowarn.web.app import create_app

EVENTS = ["bulletin.released", "warning.ended"]
ADDRESS = "http://127.0.0.1:9/hook"


@pytest.fixture
def desk(demo_system: System) -> Iterator[ApiDesk]:
    with TestClient(create_app(demo_system)) as client:
        yield ApiDesk(demo_system, client)


def hooked(desk: ApiDesk, by: By = "test", owner: str = "city-site", internal: bool = False) -> Hook:
    system = desk.system
    kit, places = (system.store, system.clock, system.vault), hook_places(system)
    return add_hook(*kit, by, owner, False, ADDRESS, EVENTS, places, internal).hook


def holder(desk: ApiDesk, owner: str, *scopes: Scope) -> Keyholder:
    """Whoever acts by a key of this partner."""
    token = desk.key(owner, *scopes, account=False).token
    return Keyholder(admit(desk.system.store, desk.system.clock, token), f"partner {owner}")


def answering(desk: ApiDesk, status: int, told: list[str] | None = None) -> HookOffice:
    """The office, with a far end that answers so and notes what it is told."""

    def post(call: HookCall) -> HookAnswer:
        if told is not None:
            told.append(call.headers["X-Geowarn-Event"])
        return HookAnswer(status)

    return replace(hook_office(desk.system), post=post)


def derived(desk: ApiDesk) -> None:
    system = desk.system
    derive(system.store, system.clock, system.policy.publish_from, Pages.by(system.facts))


def acts(desk: ApiDesk, by: By, hook: Hook) -> dict[str, Callable[[], object]]:
    """Everything that is done with a subscription, by name."""
    kit = (desk.system.store, desk.system.clock)
    return {
        "enable": lambda: enable_hook(*kit, by, hook.id),
        "test": lambda: queue_test(*kit, by, hook.id),
        "ping": lambda: ping_now(desk.system, by, hook.id),
        "remove": lambda: remove_hook(*kit, by, hook.id),
    }


def test_only_an_administrator_touches_every_subscription(desk: ApiDesk) -> None:
    hook, duty = hooked(desk), desk.actor("duty")
    with pytest.raises(NotEntitled):
        hooked(desk, duty)
    for act in acts(desk, duty, hook).values():
        with pytest.raises(NotEntitled):
            act()
    for act in acts(desk, desk.actor("admin"), hook).values():
        act()


def test_a_key_touches_its_owners_subscriptions_by_its_scope_and_no_others(desk: ApiDesk) -> None:
    hook = hooked(desk)
    own, other = holder(desk, "city-site", Scope.WEBHOOKS), holder(desk, "city-desk", Scope.WEBHOOKS)
    reader = holder(desk, "city-site", Scope.READ)
    for act in acts(desk, other, hook).values():
        with pytest.raises(NotFound, match="unknown-hook"):
            act()
    with pytest.raises(Refused, match="scope-missing"):
        hooked(desk, reader)
    for act in acts(desk, reader, hook).values():
        with pytest.raises(Refused, match="scope-missing"):
            act()
    with pytest.raises(Refused, match="hook-of-other"):
        hooked(desk, own, "city-desk")
    with pytest.raises(Refused, match="scope-missing"):
        hooked(desk, own, internal=True)
    assert hooked(desk, own).created_by == own.label
    for name, act in acts(desk, own, hook).items():
        if name != "ping":  # the administrator's own
            act()


def test_the_end_of_a_warning_waits_until_its_beginning_has_arrived(
    desk: ApiDesk, settable_clock: SettableClock
) -> None:
    hook, told = hooked(desk), list[str]()
    desk.released()
    derived(desk)
    assert send_next(answering(desk, 500, told), hook.id) is not None  # tried again later
    with desk.system.store.read() as work:
        bulletin = work.bulletins.all()[0]
    retract(desk.system.desk, bulletin.warning_id, retraction_words(bulletin)[0], desk.actor("duty"))
    derived(desk)
    assert send_next(answering(desk, 204, told), hook.id) is None
    settable_clock.advance(seconds=10)
    while send_next(answering(desk, 204, told), hook.id) is not None:
        pass
    assert told == ["bulletin.released", "bulletin.released", "warning.ended"]


def test_a_subscription_that_is_switched_on_again_has_its_whole_time(
    desk: ApiDesk, settable_clock: SettableClock
) -> None:
    hook, began = hooked(desk), settable_clock.now()
    desk.released()
    derived(desk)
    with desk.system.store.begin() as work:
        work.hooks.mark(hook.id, began, began)
        work.commit()
    office = answering(desk, 500)
    settable_clock.moment = began + 2 * office.give_up
    enable_hook(desk.system.store, desk.system.clock, "test", hook.id)
    tried = send_next(office, hook.id)
    assert tried is not None
    assert tried.state is DeliveryState.NEW
    settable_clock.advance(seconds=office.give_up.total_seconds())
    last = send_next(office, hook.id)
    assert last is not None
    assert (last.id, last.state) == (tried.id, DeliveryState.GIVEN_UP)
