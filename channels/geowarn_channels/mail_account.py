"""Whose account mail leaves by: the installation's own, or for an exercise one that is kept apart from it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from geowarn.domain.bulletin import Bulletin
from geowarn.domain.errors import PermanentFailure, Refused
from geowarn.domain.exercise import is_exercise
from geowarn.domain.network import is_here
from geowarn_channels.mail_form import Sender
from geowarn_channels.mail_wire import Server

Settings = Mapping[str, Mapping[str, Any]]
_OWN = ("host", "port", "security", "user", "password", "sender")


def trial_mail(settings: Settings) -> dict[str, Any]:
    """`[mail]` as an exercise sees it: what `[exercise]` says in place of the real account, even where empty."""
    own = settings.get("exercise", {})
    alone = {"reply_to": "", "bounces_to": ""}
    return {**settings["mail"], **alone, **{key: own.get(f"mail_{key}", "") for key in _OWN}}


def check_account(mail: Mapping[str, Any], section: str, prefix: str = "") -> None:
    """Raise Refused naming the first setting that mail cannot leave with, its value and what fits."""
    if not mail["host"]:
        raise _wrong(section, f"{prefix}host", "", "smtp.example.com")
    if mail["security"] == "none" and not is_here(str(mail["host"])):
        raise _wrong(section, f"{prefix}security", "none", "starttls, tls")
    if not mail["sender"]:
        raise _wrong(section, f"{prefix}sender", "", "warnings@example.com")
    if bool(mail["user"]) != bool(mail["password"]):
        key = "password" if mail["user"] else "user"
        raise _wrong(section, f"{prefix}{key}", "", "…")
    for key in ("user", "password"):  # what it is stays unsaid
        if not str(mail[key]).isascii():
            raise _wrong(section, f"{prefix}{key}", "…", "ASCII")
    if mail["ca_file"] and not Path(mail["ca_file"]).is_file():
        raise _wrong(section, "ca_file", mail["ca_file"], "/etc/ssl/….pem")


def _wrong(section: str, key: str, value: object, wanted: str) -> Refused:
    return Refused("mail.setting", section=section, key=key, value=value, wanted=wanted)


def server_of(mail: Mapping[str, Any]) -> Server:
    """Where to hand mail over."""
    greeting = str(mail["sender"]).rpartition("@")[2] or "localhost"
    return Server(
        str(mail["host"]), int(mail["port"]), str(mail["security"]), str(mail["user"]), str(mail["password"]),
        str(mail["ca_file"]), float(mail["timeout_seconds"]), greeting,
    )  # fmt: skip


def sender_of(mail: Mapping[str, Any], installation: Mapping[str, Any]) -> Sender:
    """Who writes."""
    names = {language: str(installation[f"name_{language}"]) for language in ("zh", "en")}
    return Sender(str(mail["sender"]), names, str(mail["reply_to"]))


def refuse_leak(settings: Settings, bulletin: Bulletin) -> None:
    """Raise PermanentFailure where what is not real would leave by a real account (house rule 10, third place)."""
    synthetic = bool(settings["installation"]["synthetic"])
    if is_exercise(bulletin):
        allowed = apart(settings["mail"], trial_mail(settings), synthetic)
    else:
        allowed = is_here(str(settings["mail"]["host"])) or not (synthetic or bulletin.content.synthetic)
    if not allowed:
        raise PermanentFailure("mail.exercise-refused", alarm=True)


def apart(real: Mapping[str, Any], trial: Mapping[str, Any], synthetic: bool) -> bool:
    """Whether the exercise's account is its own: a stand-in on this machine, or another log-in; another sender too."""
    if not trial["host"] or not trial["sender"] or trial["sender"] == real["sender"]:
        return False
    another = (trial["host"], trial["user"]) != (real["host"], real["user"])
    return is_here(str(trial["host"])) or (not synthetic and another)
