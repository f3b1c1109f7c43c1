"""Wires the line together: the only place that knows every adapter."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, partial
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from geowarn.domain.errors import Refused
from geowarn.domain.level import Level
from geowarn.domain.network import is_here
from geowarn.domain.policy import Policy
from geowarn.domain.rules import RuleSet
from geowarn.domain.source import Source, deciding
from geowarn.mailboxes import mailbox_entry
from geowarn.pipeline.alternates import Alternate
from geowarn.pipeline.desk import Desk
from geowarn.pipeline.leftovers import remove_half_done, remove_taken
from geowarn.pipeline.lint_texts import Linter
from geowarn.pipeline.proof import latest_checkpoint
from geowarn.pipeline.publish import SharedStates, site_state
from geowarn.pipeline.released import Released
from geowarn.pipeline.roster_desk import RosterDesk
from geowarn.pipeline.rules import load_rules, rules_in_force
from geowarn.pipeline.search_index import Sources
from geowarn.pipeline.slots import default_slots
from geowarn.pipeline.source_plan import load_plan
from geowarn.plugins import adapters
from geowarn.policy_file import load_policy, read_toml
from geowarn.ports import (
    AlertReader,
    Channel,
    ChannelContext,
    Clock,
    Fetcher,
    HazardModel,
    Pager,
    Postman,
    Reader,
    SiteState,
    Vault,
)
from geowarn.resources import config_dir
from geowarn.roster_file import load_roster
from geowarn.security import FileVault
from geowarn.settings import Settings, load_settings
from geowarn.sources.cap_alert import CapAlertReader
from geowarn.store.unit_of_work import SqlStore
from geowarn.templating import JinjaTemplates


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The present moment in UTC."""
        return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Station:
    """One broadcaster that polls us."""

    name: str
    name_zh: str
    name_en: str
    key_sha256: str
    live: bool


@dataclass(frozen=True)
class System:
    """An opened installation with every adapter in place."""

    data_dir: Path
    settings: Settings
    facts: Mapping[str, Mapping[str, Any]]  # effective settings by section, with `channels` from channels.toml
    store: SqlStore
    clock: Clock
    templates: JinjaTemplates
    vault: Vault
    policy: Policy
    readers: Mapping[str, Reader]
    models: Mapping[str, HazardModel]
    stations: Mapping[str, Station]

    @cached_property
    def channels(self) -> Mapping[str, Channel]:
        """The enabled channels by name."""
        context = ChannelContext(self.facts, self.data_dir, self.templates, self.clock, self.site_state)
        return {name: _adapter("geowarn.channels", name)(context) for name in self.facts["channels"]["enabled"]}

    @cached_property
    def pager(self) -> Pager | None:
        """What reaches people on duty: the first enabled channel that can; None where there is none."""
        pagers = (getattr(channel, "pager", None) for channel in self.channels.values())
        return next(filter(None, pagers), None)

    @cached_property
    def postman(self) -> Postman | None:
        """What carries letters to single people: the first enabled channel that can; None where there is none."""
        return next(filter(None, (getattr(channel, "postman", None) for channel in self.channels.values())), None)

    @cached_property
    def fetchers(self) -> Mapping[str, Fetcher]:
        """What fetches sources over the network, by the name of the way."""
        return adapters("geowarn.fetchers")

    @cached_property
    def sources(self) -> Mapping[str, Source]:
        """The source plan by name, those asked first first; raises Refused where it is wrong."""
        return load_sources(self.data_dir, self.settings)

    @cached_property
    def desk(self) -> Desk:
        """The ports of review and release."""
        slots = default_slots(self.templates)
        linter = Linter(self.templates, self.facts)
        policy = self.policy.ranking(self._order_of_sources())
        return Desk(self.store, self.clock, self.channels, policy, self.facts, slots, self.vault, linter)

    def _order_of_sources(self) -> tuple[str, ...]:
        """The order of the source plan; with a plan that cannot be read, which is said elsewhere, none is better."""
        try:
            return deciding(self.sources.values())
        except Refused:
            return ()

    @cached_property
    def roster_desk(self) -> RosterDesk:
        """The ports of the roster."""
        rules = load_roster(config_file(self.data_dir, "roster.toml"))
        return RosterDesk(self.store, self.clock, rules, ZoneInfo(self.settings.installation.zone))

    @property
    def alert_reader(self) -> AlertReader:
        """Reads alerts of the weather service."""
        return CapAlertReader()

    @property
    def raw_dir(self) -> Path:
        """Forecast payloads by digest."""
        return self.data_dir / "raw"

    @property
    def cache_dir(self) -> Path:
        """What can be computed again: zonal weights."""
        return self.data_dir / "cache"

    @property
    def keys_dir(self) -> Path:
        """The installation's keys."""
        return self.data_dir / "keys"

    @property
    def public_dir(self) -> Path:
        """The public tree."""
        return self.data_dir / "public"

    @property
    def search_sources(self) -> Sources:
        """Where the public search takes its documents from."""
        return Sources(self.store, self.public_dir, self.settings.installation.zone)

    def alternates(self) -> tuple[Alternate, ...]:
        """The rule sets that run beside the deciding one."""
        return tuple(Alternate(name, partial(self._alternate_rules, name)) for name in self.settings.hazard.beside)

    def _alternate_rules(self, name: str) -> RuleSet:
        """The file's rules, or for a model's own file what a person switched on for that model."""
        file = config_file(self.data_dir, f"rules/{name}.toml")
        rules = load_rules(file)
        return rules_in_force(self.store, rules.model, file) if name == rules.model else rules

    def tidy(self) -> int:
        """Remove what is kept for a while only and what killed processes left; returns how many files and folders."""
        from geowarn.sources.stored import remove_abandoned  # numpy, which most commands do without

        now = self.clock.now()
        taken = remove_taken(self.data_dir / "inbox", now, self.settings.schedule.keep_taken_days)
        half_done = remove_half_done(self.raw_dir, self.cache_dir / "fetched", now)
        return taken + half_done + remove_abandoned(now.timestamp())

    def site_state(self, showing: str = "") -> SiteState:
        """The state to publish now; `showing`: one read a moment ago will do, where this bulletin stands in it."""
        return self._states(showing)

    @cached_property
    def _states(self) -> SharedStates:
        return SharedStates(lambda: site_state(self.store, self.clock, self.facts, latest_checkpoint, self.released))

    @cached_property
    def released(self) -> Released:
        """Everything released so far, for whoever shows all of it again and again."""
        return Released(self.store)


def _adapter(group: str, name: str) -> Any:
    found = [point for point in entry_points(group=group) if point.name == name]
    if not found:
        known = ", ".join(sorted(point.name for point in entry_points(group=group))) or "-"
        raise Refused("config.not-installed", group=group, name=name, known=known)
    return found[0].load()


def config_file(data_dir: Path | None, name: str) -> Path:
    """The installation's own file of this name below `config/`, else the shipped one."""
    own = data_dir / "config" / name if data_dir else None
    return own if own is not None and own.is_file() else config_dir() / name


def active_rules(system: System, model: str | None = None) -> RuleSet:
    """The rules in force for a model, the deciding one if none is named: a person's activation, else the file.

    The file is the configured one for the deciding model and `rules/<model>.toml` for another.
    """
    hazard = system.settings.hazard
    chosen = model or hazard.model
    name = hazard.rules if chosen == hazard.model else f"rules/{chosen}.toml"
    return rules_in_force(system.store, chosen, config_file(system.data_dir, name))


def load_channels(path: Path) -> dict[str, Any]:
    """Read which channels are enabled and which stations poll; raises Refused naming the key."""
    table = read_toml(path)
    for name, station in table.get("stations", {}).items():
        missing = {"name_zh", "name_en", "key_sha256", "live"} - set(station)
        if missing:
            key = f"stations.{name}"
            reason = Refused("reason.lacks", keys=", ".join(sorted(missing)))
            raise Refused("config.invalid", file=path.name, key=key, reason=reason)
    return {
        "enabled": list(table.get("enabled", [])),
        "stations": table.get("stations", {}),
        "webhooks": table.get("webhooks", {}),
        "mailboxes": {
            name: mailbox_entry(path.name, name, entry) for name, entry in table.get("mailboxes", {}).items()
        },
    }


def load_sources(data_dir: Path | None, settings: Settings) -> dict[str, Source]:
    """The source plan by name, those asked first first; raises Refused naming source, key, value and what fits."""
    readers, fetchers = adapters("geowarn.sources"), adapters("geowarn.fetchers")
    plan = load_plan(config_file(data_dir, "sources.toml"), readers, fetchers, settings.installation.zone)
    return {source.name: source for source in plan}


def land_around(settings: Settings) -> dict[str, Any] | None:
    """The land around the areas of the shipped set, as a GeoJSON geometry for maps; None where there is none."""
    file = config_dir() / "areas" / settings.installation.areas / "coastline.geojson"
    if not settings.installation.areas or not file.is_file():
        return None
    features = json.loads(file.read_text("utf-8"))["features"]
    return next((dict(f["geometry"]) for f in features if f["properties"].get("kind") == "land"), None)


def database_url(settings: Settings, data_dir: Path) -> str:
    """The database of this installation: the setting, or SQLite below the data folder."""
    return settings.database.url or f"sqlite:///{data_dir / 'geowarn.db'}"


def refuse_live_targets(settings: Settings, channels: Mapping[str, Any]) -> None:
    """Raise Refused where an installation on synthetic input names a target that real people see (house rule 10)."""
    if not settings.installation.synthetic:
        return
    kinds = ("stations", "webhooks", "mailboxes")
    live = [name for kind in kinds for name, entry in channels[kind].items() if entry.get("live")]
    live += [] if is_here(urlsplit(settings.sms.base_url).hostname or "") else ["sms"]
    live += [] if "mail" not in channels["enabled"] or is_here(settings.mail.host) else ["mail"]
    if live:
        raise Refused("config.live-in-demo", targets=", ".join(live))


def open_system(data_dir: Path, clock: Clock | None = None) -> System:
    """Open the installation in `data_dir`; raises Refused when there is none or its configuration is wrong."""
    if not (data_dir / "geowarn.toml").is_file():
        raise Refused("config.no-installation", folder=str(data_dir))
    settings = load_settings(data_dir)
    channels = load_channels(config_file(data_dir, "channels.toml"))
    refuse_live_targets(settings, channels)
    publish_from = Level.parse(settings.publish.from_)
    return System(
        data_dir=data_dir,
        settings=settings,
        facts={**settings.sections(), "channels": channels, "map": {"land": land_around(settings)}},
        store=SqlStore(database_url(settings, data_dir)),
        clock=clock or SystemClock(),
        templates=JinjaTemplates(data_dir / "templates"),
        vault=FileVault(data_dir / "keys"),
        policy=load_policy(config_file(data_dir, "policy.toml"), publish_from),
        readers=adapters("geowarn.sources"),
        models=adapters("geowarn.models"),
        stations={name: Station(name, **table) for name, table in channels["stations"].items()},
    )
