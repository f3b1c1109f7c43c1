"""Whose account an SMS leaves by: the installation's own, or for an exercise one that is kept apart from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from geowarn.domain.bulletin import Bulletin
from geowarn.domain.errors import PermanentFailure
from geowarn.domain.exercise import is_exercise
from geowarn_channels.twilio_account import is_loopback

_OWN = ("base_url", "account_sid", "auth_token", "sender")


def trial_sms(settings: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """`[sms]` as an exercise sees it: the credentials of `[exercise]` in place of the real ones, even where empty."""
    own = settings.get("exercise", {})
    return {**settings["sms"], **{key: str(own.get(f"sms_{key}", "")) for key in _OWN}}


def refuse_leak(settings: Mapping[str, Mapping[str, Any]], bulletin: Bulletin) -> None:
    """Raise PermanentFailure where what is not real would leave by a real account (house rule 10, third place)."""
    synthetic = bool(settings["installation"]["synthetic"])
    if is_exercise(bulletin):
        allowed = apart(settings["sms"], trial_sms(settings), synthetic)
    else:
        allowed = is_loopback(str(settings["sms"]["base_url"])) or not (synthetic or bulletin.content.synthetic)
    if not allowed:
        raise PermanentFailure("sms.exercise-refused", alarm=True)


def apart(real: Mapping[str, Any], trial: Mapping[str, Any], synthetic: bool) -> bool:
    """Whether the exercise's account is its own: a stand-in on this machine, or another account; another sender too."""
    if not trial["account_sid"] or not trial["sender"] or trial["sender"] == real["sender"]:
        return False
    return is_loopback(trial["base_url"]) or (not synthetic and trial["account_sid"] != real["account_sid"])
