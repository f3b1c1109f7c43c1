"""`geowarn init`, `db` and `config`: an installation's beginning and upkeep."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from geowarn.bootstrap import System, config_file, database_url, load_channels, open_system
from geowarn.cap_key import make_cap_key
from geowarn.cli.common import Data, line, operator, put_json, system_of
from geowarn.cli.sources import sources_json
from geowarn.domain.errors import Refused
from geowarn.domain.level import Level
from geowarn.installation import create_installation
from geowarn.issuer_service import issuers_of
from geowarn.pipeline.mailing import refuse_unknown_places
from geowarn.pipeline.rules import load_rules
from geowarn.pipeline.score_rules import load_score_rules
from geowarn.plugins import adapters, broken, refuse_broken
from geowarn.policy_file import load_policy
from geowarn.settings import Settings, load_settings, masked
from geowarn.store import upgrade as migrations

db = typer.Typer(help="The database · 数据库", no_args_is_help=True)
config = typer.Typer(help="The configuration · 配置", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(init)


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR")],
    admin: Annotated[str, typer.Option("--admin", help="Name of the first administrator")] = "admin",
) -> None:
    """Make a new installation: configuration, database, keys, areas, first administrator · 新建安装"""
    password = create_installation(folder, admin, operator())
    line("initialised", folder=str(folder), admin=admin, password=password)


def _url(data: Path | None) -> str:
    folder = data if data is not None else Path()
    if not (folder / "geowarn.toml").is_file():
        raise Refused("config.no-installation", folder=str(folder))
    return database_url(load_settings(folder), folder)


@db.command()
def upgrade(data: Data = None) -> None:
    """Bring the tables to this version · 升级数据库"""
    url = _url(data)
    before = migrations.current(url)
    migrations.upgrade(url)
    line("db-upgraded", before=before or "-", after=migrations.current(url) or "-")


@db.command()
def check(data: Data = None) -> None:
    """Check tables, triggers and version · 检查数据库"""
    faults = migrations.check(_url(data))
    if faults:
        raise Refused("cli.db-faults", faults="; ".join(faults))
    line("db-fine")


@config.command("cap-key")
def cap_key(data: Data = None) -> None:
    """Make a new key for signing CAP messages; old certificates stay published · 更换 CAP 签名密钥"""
    system = system_of(data)
    made = make_cap_key(system.keys_dir, system.settings.cap.sender, system.clock.now())
    with system.store.begin() as work:
        facts = {"fingerprint": made.fingerprint, "until": made.until.isoformat()}
        work.ledger.append(system.clock.now(), operator(), "cap.key-made", "cap", facts)
        work.commit()
    path = f"/cap/keys/{made.fingerprint[:16]}.pem"
    line("cap-key-made", until=f"{made.until:%Y-%m-%d}", path=path, old=made.older)


@config.command("check")
def check_config(data: Data = None) -> None:
    """Print the effective settings, secrets masked, and check every file · 检查配置"""
    folder = data if data is not None else None
    settings = load_settings(folder)
    level = Level.parse(settings.publish.from_)
    load_policy(config_file(folder, "policy.toml"), level)
    load_channels(config_file(folder, "channels.toml"))
    load_rules(config_file(folder, settings.hazard.rules), adapters("geowarn.models"))
    load_score_rules(config_file(folder, "score.toml"))
    if folder is not None and (folder / "geowarn.toml").is_file():
        _check_channels(open_system(folder))
    issuers = {
        one.name: {"enabled": one.enabled, "signature": one.demand.value} for one in issuers_of(folder, settings)
    }
    put_json({**masked(settings), "sources": sources_json(folder, settings), "issuers": issuers})
    check_models(folder, settings)
    line("config-fine")


def _check_channels(system: System) -> None:
    """Every channel is built from its settings, and every mailbox wants areas that are there."""
    _ = system.channels
    with system.store.read() as work:
        refuse_unknown_places(work, system.facts)


def check_models(folder: Path | None, settings: Settings) -> None:
    """Every part loads, and every rule set that is to run fits its model; raises Refused for the first that does not.

    None of this stops the deciding model at work: there it is noted beside the result.
    """
    models, faults = adapters("geowarn.models"), broken()
    for name in settings.hazard.beside:
        load_rules(config_file(folder, f"rules/{name}.toml"), models)
    refuse_broken(faults)
