"""The page of keys and hooks: for the administrator; the auditor looks."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from geowarn.domain.errors import Refused
from geowarn.domain.partner import INTERNAL_EVENTS, PUBLIC_EVENTS, Scope
from geowarn.domain.people import Role
from geowarn.hook_service import fault_line, hook_places, ping_now
from geowarn.pipeline.actor import Actor
from geowarn.pipeline.hooks import add_hook, enable_hook, find_hook, may_see, remove_hook
from geowarn.pipeline.partner_keys import administrator, issue_key, key_state, owner_of, revoke_key
from geowarn.ports import Clock, Store, Vault
from geowarn.web.access import Visit, Visiting

router = APIRouter(prefix="/console/partners", include_in_schema=False)
HERE = "/console/partners"
_PER_MINUTE = 120


def _asked(visit: Visit, form: dict[str, str]) -> tuple[Store, Clock, Vault, Actor, str, bool]:
    """Who asks for a key or a subscription, and for which owner; raises Refused without the right."""
    administrator(visit.actor)
    system = visit.system
    owner = owner_of(form.get("account", "").strip(), form.get("partner", "").strip())
    return (system.store, system.clock, system.vault, visit.actor, *owner)


def _number(form: dict[str, str], name: str, default: int | None) -> int | None:
    text = form.get(name, "").strip()
    if not text:
        return default
    if not text.isdigit() or len(text) > 6:
        raise Refused("web.number", field=name)
    return int(text)


def _ticked(form: dict[str, str], prefix: str) -> list[str]:
    return [name.removeprefix(prefix) for name in form if name.startswith(prefix)]


def _page(visit: Visit, **more: Any) -> Response:
    may_see(visit.actor)
    with visit.system.store.read() as work:
        keys, hooks = work.api_keys.all(), work.hooks.all()
        users = [user for user in work.users.all() if user.active]
        last = {hook.id: next(iter(work.hooks.deliveries(hook.id, 1)), None) for hook in hooks}
    return visit.page(
        "partners",
        keys=keys,
        states={key.id: key_state(key, visit.now) for key in keys},
        hooks=hooks,
        last=last,
        users=users,
        scopes=list(Scope),
        events=sorted(PUBLIC_EVENTS | INTERNAL_EVENTS),
        may_act=Role.ADMINISTRATOR in visit.user.roles,
        **more,
    )


@router.get("")
def partners(visit: Visiting) -> Response:
    """Every key and every subscription."""
    return _page(visit)


@router.post("/keys")
def issue(visit: Visiting) -> Response:
    """Issue a key and show it this once."""
    form = visit.form()
    made = issue_key(
        *_asked(visit, form),
        _ticked(form, "scope."),
        days=_number(form, "days", None),
        per_minute=_number(form, "per_minute", _PER_MINUTE) or 0,
    )
    return _page(visit, issued=made)


@router.post("/keys/{key}/revoke")
def revoke(visit: Visiting, key: str) -> Response:
    """End a key at once."""
    visit.form()
    revoke_key(visit.system.store, visit.system.clock, visit.actor, key)
    return visit.go(HERE)


@router.post("/hooks")
def add(visit: Visiting) -> Response:
    """Subscribe an address and show its secret this once."""
    form = visit.form()
    made = add_hook(
        *_asked(visit, form),
        form.get("url", "").strip(),
        _ticked(form, "event."),
        hook_places(visit.system),
        internal=bool(form.get("internal")),
        live=bool(form.get("live")),
    )
    return _page(visit, added=made)


@router.get("/hooks/{hook}")
def deliveries(visit: Visiting, hook: str) -> Response:
    """What was sent to one subscription and what came of it."""
    may_see(visit.actor)
    with visit.system.store.read() as work:
        found = find_hook(work, hook)
        rows = work.hooks.deliveries(found.id)
        tries = {row.id: work.hooks.attempts(row.id) for row in rows}
    faults = {row.id: fault_line(row, found.url, visit.words.language) for row in rows}
    may_act = Role.ADMINISTRATOR in visit.user.roles
    return visit.page("partners-hook", hook=found, rows=rows, tries=tries, faults=faults, may_act=may_act)


@router.post("/hooks/{hook}/test")
def ping(visit: Visiting, hook: str) -> Response:
    """Send a ping at once; the log says what came of it."""
    visit.form()
    ping_now(visit.system, visit.actor, hook)
    return visit.go(f"{HERE}/hooks/{hook}")


@router.post("/hooks/{hook}/enable")
def enable(visit: Visiting, hook: str) -> Response:
    """Try a subscription again that was left alone."""
    visit.form()
    enable_hook(visit.system.store, visit.system.clock, visit.actor, hook)
    return visit.go(f"{HERE}/hooks/{hook}")


@router.post("/hooks/{hook}/remove")
def remove(visit: Visiting, hook: str) -> Response:
    """End a subscription."""
    visit.form()
    remove_hook(visit.system.store, visit.system.clock, visit.actor, hook)
    return visit.go(HERE)
