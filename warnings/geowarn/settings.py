"""Effective settings: shipped file, then the installation's file, then the environment (`GEOWARN_SITE__PUBLIC_URL`)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from geowarn.domain.errors import Refused
from geowarn.domain.unread import why
from geowarn.resources import config_dir
from geowarn.settings_mail import Mail, MailAddress, Security
from geowarn.settings_reason import refusal_of
from geowarn.settings_site import Archive, Catalogue, Meta, Press, Say, Section


class Installation(Section):
    """Who runs this installation and where."""

    zone: str
    areas: str
    centre: str
    name_zh: str
    name_en: str
    place_zh: str
    place_en: str
    synthetic: bool
    map_approval: str

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"no time zone is called {value!r}") from error
        return value


class Site(Section):
    """The public pages."""

    public_url: Annotated[str, Field(pattern=r"^https?://[^\s/]+(/\S*)?$")]
    next_update_hours: Annotated[int, Field(ge=1, le=24)]
    hub_url: Annotated[str, Field(pattern=r"^(https?://\S+)?$")] = ""  # WebSub hub that the feeds announce
    print_map: bool = True
    search: bool = True  # whether pages lead to the search, which the program answers

    @field_validator("public_url")
    @classmethod
    def _without_slash(cls, value: str) -> str:
        return value.rstrip("/")


class Issuer(Section):
    """The offices that issue jointly, and the stations that air it."""

    name_zh: str
    name_en: str
    short_zh: str
    joint_zh: str
    joint_en: str
    joint_short_zh: str
    duty_phone: str
    tv_zh: str
    tv_en: str
    radio_zh: str
    radio_en: str


class Numbering(Section):
    """How a bulletin's number is written; `{year}` and `{serial}` are filled in at release."""

    pattern: Annotated[str, Field(pattern=r"\{serial\}")]
    exercise_pattern: Annotated[str, Field(pattern=r"\{serial\}")]


class Cap(Section):
    """CAP 1.2 messages."""

    sender: Annotated[str, Field(pattern=r"^[^\s,<&]+$")]
    identifier_prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+$")]
    geocode: str
    simplify_degrees: Annotated[float, Field(ge=0, le=0.05)]
    signature: Annotated[str, Field(pattern=r"^(required|none)$")]


class Publish(Section):
    """What is public."""

    from_: Annotated[str, Field(alias="from", pattern=r"^(blue|yellow|orange|red)$")]


RuleName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]


class Hazard(Section):
    """The deciding model and its rule set, and the rule sets that run beside it."""

    model: str
    rules: str
    window_hours: Annotated[int, Field(ge=1, le=24)]
    also: tuple[RuleName, ...] = ()
    max_of_models: bool = False
    second_trigger: tuple[RuleName, ...] = ()

    @property
    def beside(self) -> tuple[str, ...]:
        """Every rule set that runs beside the deciding one, each once."""
        return tuple(dict.fromkeys((*self.also, *self.second_trigger)))


class Sms(Section):
    """The SMS provider."""

    enabled: bool
    base_url: str
    account_sid: str
    auth_token: str
    sender: str
    signature_zh: Annotated[str, Field(min_length=2, max_length=20)]
    signature_en: Annotated[str, Field(min_length=2, max_length=20)]
    segments_per_second: Annotated[float, Field(gt=0)]
    timeout_seconds: Annotated[float, Field(gt=0, le=120)]
    workers: Annotated[int, Field(ge=1, le=128)]


class Exercise(Section):
    """Where exercises go: credentials and pages of their own; empty ones refuse."""

    site_url: Annotated[str, Field(pattern=r"^(https?://[^\s/]+(/\S*)?)?$")] = ""
    sms_base_url: str = ""
    sms_account_sid: str = ""
    sms_auth_token: str = ""
    sms_sender: str = ""
    mail_host: str = ""
    mail_port: Annotated[int, Field(ge=1, le=65535)] = 587
    mail_security: Security = "starttls"
    mail_user: str = ""
    mail_password: str = ""
    mail_sender: MailAddress = ""


class Broadcast(Section):
    """The stations' feeds."""

    enabled: bool
    stale_seconds: Annotated[int, Field(ge=30)]
    air_minutes: Annotated[int, Field(ge=1)] = 5


class Database(Section):
    """Where the tables are."""

    url: str


class Web(Section):
    """Sessions of the console."""

    session_hours: Annotated[int, Field(ge=1, le=48)]
    idle_minutes: Annotated[int, Field(ge=5)]
    secure_cookie: bool
    second_factor: Annotated[str, Field(pattern=r"^(when-enrolled|required|at-signing)$")] = "when-enrolled"


class Schedule(Section):
    """How often the scheduler ticks."""

    assess_minutes: Annotated[int, Field(ge=1)]
    expiry_seconds: Annotated[int, Field(ge=1)]
    publish_seconds: Annotated[int, Field(ge=5)]
    heartbeat_seconds: Annotated[int, Field(ge=1)]
    escalate_seconds: Annotated[int, Field(ge=1, le=30)]
    ask_before_end_minutes: Annotated[int, Field(ge=1)]
    keep_taken_days: Annotated[int, Field(ge=1, le=3650)] = 14


class Partners(Section):
    """The interface for partners and what is sent to their hooks."""

    idempotency_hours: Annotated[int, Field(ge=1, le=720)] = 24
    private_addresses: bool = False
    hook_seconds: Annotated[float, Field(gt=0, le=60)] = 10.0
    hook_give_up_hours: Annotated[int, Field(ge=1, le=168)] = 24
    hook_disable_days: Annotated[int, Field(ge=1, le=60)] = 3


class Settings(BaseSettings):
    """Everything an installation may set; unknown keys are refused."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_prefix="GEOWARN_", env_nested_delimiter="__", populate_by_name=True
    )

    installation: Installation
    site: Site
    issuer: Issuer
    press: Press = Press()
    archive: Archive = Archive()
    meta: Meta
    catalogue: Catalogue
    numbering: Numbering
    cap: Cap
    publish: Publish
    hazard: Hazard
    sms: Sms
    mail: Mail = Mail()
    broadcast: Broadcast
    exercise: Exercise
    database: Database
    web: Web
    schedule: Schedule
    partners: Partners = Partners()
    say: Say = Say()

    def sections(self) -> dict[str, dict[str, Any]]:
        """Plain values by section and key as in the file, secrets included."""
        return self.model_dump(by_alias=True)


_SECRET = {("sms", "auth_token"), ("mail", "password"), ("exercise", "sms_auth_token"), ("exercise", "mail_password")}


def masked(settings: Settings) -> dict[str, dict[str, Any]]:
    """The sections with secrets and the database's password replaced, fit for a screen."""
    sections = settings.sections()
    for section, key in _SECRET:
        if sections[section][key]:
            sections[section][key] = "***"
    url = sections["database"]["url"]
    if "@" in url and "://" in url:
        scheme, rest = url.split("://", 1)
        sections["database"]["url"] = f"{scheme}://***@{rest.rsplit('@', 1)[1]}"
    return sections


def load_settings(data_dir: Path | None) -> Settings:
    """Read the effective settings; raises Refused naming file or variable, key and reason."""
    own = data_dir / "geowarn.toml" if data_dir else None
    files = [config_dir() / "geowarn.toml"] + ([own] if own and own.is_file() else [])

    class _Layered(Settings):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return (env_settings, *(TomlConfigSettingsSource(settings_cls, path) for path in reversed(files)))

    try:
        return _Layered()  # type: ignore[call-arg]
    except ValidationError as error:
        raise refusal_of(error, Settings, str(files[-1])) from None
    except (ValueError, OSError) as error:
        raise Refused("config.unreadable", file=str(files[-1]), reason=why(error)) from None
