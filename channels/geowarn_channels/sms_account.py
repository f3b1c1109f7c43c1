"""Whose account an SMS leaves by: the installation's own, or for an exercise one that is kept apart from it."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from twilio.rest import Client

from geowarn.domain.bulletin import Bulletin
from geowarn.domain.errors import PermanentFailure, TemporaryFailure
from geowarn.domain.exercise import is_exercise
from geowarn_channels.twilio_http import PooledHttpClient


@dataclass(frozen=True)
class Account:
    """Credentials of one sender; `workers` calls at a time, each with a time-out in seconds."""

    base_url: str
    sid: str
    token: str
    sender: str
    workers: int
    seconds: float

    @cached_property
    def client(self) -> Any:
        """The provider's client; raises TemporaryFailure while credentials are missing."""
        if not (self.sid and self.token and self.sender):
            raise TemporaryFailure("sms.not-configured", alarm=True)
        client = Client(
            self.sid,
            self.token,
            http_client=PooledHttpClient(self.workers, self.seconds),
            environment={"TWILIO_REGION": ""},  # never from this process's environment
        )
        if self.base_url:
            client.api.base_url = self.base_url
        return client

    @property
    def sending(self) -> dict[str, str]:
        """The parameter that names the sender."""
        return {"messaging_service_sid": self.sender} if self.sender.startswith("MG") else {"from_": self.sender}


class Accounts:
    """The two accounts of an installation, and which of them may carry a bulletin (house rule 10, third place)."""

    def __init__(self, settings: Mapping[str, Mapping[str, Any]]) -> None:
        sms, own = settings["sms"], settings.get("exercise", {})
        paced = int(sms["workers"]), float(sms["timeout_seconds"])
        self._synthetic = bool(settings["installation"]["synthetic"])
        self.real = Account(sms["base_url"], sms["account_sid"], sms["auth_token"], sms["sender"], *paced)
        named = [str(own.get(f"sms_{key}", "")) for key in ("base_url", "account_sid", "auth_token", "sender")]
        self.trial = Account(named[0], named[1], named[2], named[3], *paced)

    def of(self, bulletin: Bulletin) -> Account:
        """The account for this bulletin; raises PermanentFailure where what is not real would leave by a real one."""
        if is_exercise(bulletin):
            if not self._apart():
                raise PermanentFailure("sms.exercise-refused", alarm=True)
            return self.trial
        if (bulletin.content.synthetic or self._synthetic) and not is_loopback(self.real.base_url):
            raise PermanentFailure("sms.exercise-refused", alarm=True)
        return self.real

    def _apart(self) -> bool:
        """Whether the exercise's account is one of its own: a stand-in here, or another account with another sender."""
        if not self.trial.sid or not self.trial.sender or self.trial.sender == self.real.sender:
            return False
        return is_loopback(self.trial.base_url) or (not self._synthetic and self.trial.sid != self.real.sid)


def is_loopback(address: str) -> bool:
    """Whether a base URL can only reach this machine."""
    host = urlsplit(address).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
