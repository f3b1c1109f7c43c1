"""`geowarn partners`: keys of the interface, and subscriptions."""

from __future__ import annotations

from typing import Annotated

import typer

from geowarn.catalogue import say, terminal_language
from geowarn.cli.common import AsJson, Data, local_time, operator, put_json, put_rows, system_of
from geowarn.domain.errors import Refused
from geowarn.pipeline.hooks import add_hook, enable_hook, remove_hook
from geowarn.pipeline.partner_keys import issue_key, key_state, owner_of, revoke_key

app = typer.Typer(help="Partners: keys and webhooks · 合作单位：密钥与推送", no_args_is_help=True)
key = typer.Typer(help="Keys of /api/v1 · 接口密钥", no_args_is_help=True)
hook = typer.Typer(help="Subscriptions to events · 事件订阅", no_args_is_help=True)
app.add_typer(key, name="key")
app.add_typer(hook, name="hook")

Account = Annotated[str, typer.Option("--account", help="The account it acts as · 账号")]
Partner = Annotated[str, typer.Option("--partner", help="Or the partner's name · 合作单位")]
HookId = Annotated[str, typer.Argument(metavar="HOOK")]


def said(key: str, /, **facts: object) -> None:
    """Print one sentence in the terminal's language."""
    typer.echo(say(key, terminal_language(), **facts))


@key.command("add")
def add_key(
    scope: Annotated[list[str], typer.Option("--scope", help="read, internal, propose, cosign, receipts, webhooks")],
    account: Account = "",
    partner: Partner = "",
    days: Annotated[int | None, typer.Option("--days", help="Until it expires")] = None,
    per_minute: Annotated[int, typer.Option("--per-minute", help="Calls a minute")] = 120,
    as_json: AsJson = False,
    data: Data = None,
) -> None:
    """Issue a key; it is shown this once · 发放密钥（只显示一次）"""
    system, owner = system_of(data), owner_of(account, partner)
    made = issue_key(system.store, system.clock, system.vault, operator(), *owner, scope, days, per_minute)
    if as_json:
        put_json({"id": made.key.id, "prefix": made.key.prefix, "key": made.token, "signing_secret": made.signing})
        return
    said("partners.key-shown", id=made.key.id, owner=made.key.owner, key=made.token)
    if made.signing:
        said("partners.signing-shown", secret=made.signing)


@key.command("list")
def list_keys(as_json: AsJson = False, data: Data = None) -> None:
    """List keys, newest first, by what is known of them · 列出密钥"""
    system = system_of(data)
    with system.store.read() as work:
        keys = work.api_keys.all()
    found = [
        {
            "id": one.id,
            "prefix": one.prefix,
            "owner": one.owner,
            "of_account": one.of_account,
            "scopes": sorted(scope.value for scope in one.scopes),
            "per_minute": one.per_minute,
            "state": key_state(one, system.clock.now()),
            "expires_at": one.expires_at.isoformat() if one.expires_at else None,
            "last_used_at": one.last_used_at.isoformat() if one.last_used_at else None,
        }
        for one in keys
    ]
    if as_json:
        put_json(found)
        return
    rows = [
        [str(one["id"]), f"{one['prefix']}…", str(one["owner"]), ", ".join(one["scopes"]), str(one["state"])]  # type: ignore[arg-type]
        for one in found
    ]
    put_rows(["id", "key", "owner", "scopes", "state"], rows)


@key.command("revoke")
def revoke(name: Annotated[str, typer.Argument(metavar="KEY", help="Id or prefix")], data: Data = None) -> None:
    """End a key at once · 吊销密钥"""
    system = system_of(data)
    ended = revoke_key(system.store, system.clock, operator(), name)
    said("partners.key-revoked", id=ended.id, owner=ended.owner)


@hook.command("add")
def add(
    url: Annotated[str, typer.Argument()],
    event: Annotated[list[str], typer.Option("--event", help="For example bulletin.released")],
    account: Account = "",
    partner: Partner = "",
    internal: Annotated[bool, typer.Option("--internal", help="Also what is not public; accounts only")] = False,
    live: Annotated[bool, typer.Option("--live/--test", help="--test: exercises may go there")] = True,
    as_json: AsJson = False,
    data: Data = None,
) -> None:
    """Subscribe an address to events from now on; its secret is shown this once · 新增订阅"""
    from geowarn.hook_service import hook_places

    system, owner = system_of(data), owner_of(account, partner)
    kit = (system.store, system.clock, system.vault)
    made = add_hook(*kit, operator(), *owner, url, event, hook_places(system), internal, live)
    if as_json:
        put_json({"id": made.hook.id, "url": url, "secret": made.secret})
        return
    said("partners.hook-shown", id=made.hook.id, owner=made.hook.owner, secret=made.secret)


@hook.command("list")
def list_hooks(as_json: AsJson = False, data: Data = None) -> None:
    """List subscriptions and their newest delivery · 列出订阅"""
    system = system_of(data)
    with system.store.read() as work:
        found = [(one, next(iter(work.hooks.deliveries(one.id, 1)), None)) for one in work.hooks.all()]
    if as_json:
        put_json(
            [
                {
                    "id": one.id,
                    "owner": one.owner,
                    "url": one.url,
                    "events": sorted(event.value for event in one.events),
                    "internal": one.internal,
                    "live": one.live,
                    "disabled": one.disabled_at is not None,
                    "last": {"event": last.event.value, "state": last.state.value, "status": last.status}
                    if last
                    else None,
                }
                for one, last in found
            ]
        )
        return
    rows = [
        [
            one.id,
            one.owner,
            one.url,
            local_time(system, last.created_at.isoformat() if last else None),
            last.state.value if last else "-",
        ]
        for one, last in found
    ]
    put_rows(["id", "owner", "url", "last", "state"], rows)


@hook.command("test")
def send_test(name: HookId, data: Data = None) -> None:
    """Send a ping at once and say what came of it; exit 1 where it did not arrive · 发送测试"""
    from geowarn.hook_service import fault_line, ping_now

    system = system_of(data)
    made = ping_now(system, operator(), name)
    with system.store.read() as work:
        found = work.hooks.get(name)
    fault = fault_line(made, found.url if found else "", terminal_language())
    if fault is not None:
        raise Refused("partners.ping-failed", hook=name, fault=fault)
    said("partners.ping-arrived", id=name, status=made.status, milliseconds=made.milliseconds)


@hook.command("enable")
def enable(name: HookId, data: Data = None) -> None:
    """Try a subscription again that was left alone · 重新启用订阅"""
    system = system_of(data)
    enable_hook(system.store, system.clock, operator(), name)
    said("partners.hook-on", id=name)


@hook.command("remove")
def remove(name: HookId, data: Data = None) -> None:
    """End a subscription · 删除订阅"""
    system = system_of(data)
    remove_hook(system.store, system.clock, operator(), name)
    said("partners.hook-gone", id=name)
