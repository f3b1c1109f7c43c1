"""`/api/v1/webhooks`: partners subscribe, look at what was sent, and test."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel
from starlette.responses import Response

from geowarn.domain.partner import Hook, HookDelivery, Scope
from geowarn.hook_service import fault_line, hook_places
from geowarn.pipeline.hooks import Keyholder, add_hook, find_hook, queue_test, remove_hook
from geowarn.ports import Store
from geowarn.web import api_act_models as acts
from geowarn.web.api_acts import Once
from geowarn.web.api_call import Caller, answered, by_key, performed, read_body, says
from geowarn.web.api_problem import language_asked

router = APIRouter(prefix="/api/v1", tags=["webhooks"])
Subscriber = Annotated[Caller, by_key(Scope.WEBHOOKS)]
HookId = Annotated[str, Path(max_length=40)]


def _by(caller: Caller) -> Keyholder:
    return Keyholder(caller.admitted, caller.label)


def _moment(caller: Caller, at: datetime | None) -> str | None:
    return at.astimezone(caller.system.desk.zone).isoformat(timespec="seconds") if at else None


def _info(caller: Caller, hook: Hook) -> dict[str, object]:
    return {
        "id": hook.id,
        "url": hook.url,
        "events": sorted(event.value for event in hook.events),
        "internal": hook.internal,
        "live": hook.live,
        "created_at": _moment(caller, hook.created_at),
        "failing_since": _moment(caller, hook.failing_since),
        "disabled_at": _moment(caller, hook.disabled_at),
    }


def _delivery(caller: Caller, one: HookDelivery, url: str = "") -> acts.HookDelivery:
    return acts.HookDelivery(
        id=one.id,
        event=one.event.value,
        created_at=str(_moment(caller, one.created_at)),
        state=one.state.value,
        attempts=one.attempts,
        status=one.status,
        milliseconds=one.milliseconds,
        fault=fault_line(one, url, language_asked(caller.request)),
    )


@router.get("/webhooks", **says("listWebhooks", Scope.WEBHOOKS, acts.HookList))
def list_webhooks(caller: Subscriber) -> Response:
    """The subscriptions of the key's owner."""
    with caller.system.store.read() as work:
        mine = [hook for hook in work.hooks.all() if (hook.owner, hook.of_account) == caller.owner]
    found = acts.HookList.model_validate({"items": [_info(caller, hook) for hook in mine]})
    return answered(caller.request, found)


@router.post("/webhooks", **says("addWebhook", Scope.WEBHOOKS, acts.HookAdded, 409, body=acts.HookRequest, status=201))
def add_webhook(caller: Subscriber, idempotency_key: Once = "") -> Response:
    """Subscribe an address to events from now on; the answer holds the secret that requests to it are signed with."""
    wanted, system = read_body(caller.request, acts.HookRequest), caller.system
    owner, of_account = caller.owner

    def act(store: Store) -> tuple[int, BaseModel, str]:
        made = add_hook(
            store,
            system.clock,
            system.vault,
            _by(caller),
            owner,
            of_account,
            wanted.url,
            wanted.events,
            hook_places(system),
            internal=caller.internal,
            live=wanted.live,
        )
        shown = acts.HookAdded.model_validate({**_info(caller, made.hook), "secret": made.secret})
        return 201, shown, f"/api/v1/webhooks/{made.hook.id}/deliveries"

    return performed(caller, act)


@router.delete("/webhooks/{hook}", **says("removeWebhook", Scope.WEBHOOKS, None, 404, 422, status=204))
def remove_webhook(caller: Subscriber, hook: HookId) -> Response:
    """End a subscription with everything still to be sent to it."""
    remove_hook(caller.system.store, caller.system.clock, _by(caller), hook)
    return Response(status_code=204, headers=caller.request.state.limits)


@router.post(
    "/webhooks/{hook}/test", **says("testWebhook", Scope.WEBHOOKS, acts.HookDelivery, 400, 404, 409, 422, status=202)
)
def ping_webhook(caller: Subscriber, hook: HookId, idempotency_key: Once = "") -> Response:
    """Send a `ping` the way every event goes; `deliveries` says what came of it."""

    def act(store: Store) -> tuple[int, BaseModel, str]:
        made = queue_test(store, caller.system.clock, _by(caller), hook)
        return 202, _delivery(caller, made), f"/api/v1/webhooks/{hook}/deliveries"

    return performed(caller, act)


@router.get("/webhooks/{hook}/deliveries", **says("listDeliveries", Scope.WEBHOOKS, acts.HookDeliveryList, 404, 422))
def list_deliveries(caller: Subscriber, hook: HookId) -> Response:
    """What was sent to a subscription and what came of it, newest first."""
    with caller.system.store.read() as work:
        found = find_hook(work, hook, caller.owner)
        rows = work.hooks.deliveries(found.id)
    listed = acts.HookDeliveryList(items=[_delivery(caller, one, found.url) for one in rows])
    return answered(caller.request, listed)
