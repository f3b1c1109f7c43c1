"""One account at the SMS provider over the twilio SDK: create a message, find one again, read what was answered."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from twilio.rest import Client

from geowarn.domain.dispatch import Outcome
from geowarn.domain.errors import OutcomeUnknown, PermanentFailure, TemporaryFailure
from geowarn.domain.network import is_here
from geowarn.ports import ChannelContext, Receipt
from geowarn_channels.twilio_faults import as_failures, fault
from geowarn_channels.twilio_http import PooledHttpClient

LONGEST_VALIDITY = 36_000  # seconds the provider may keep a message
CLOCKS_APART = timedelta(minutes=5)  # how far the provider's clock may be from ours
_DEAD = ("failed", "undelivered", "canceled")


class TwilioAccount:
    """What `[sms]` says, or other settings of the same form, as calls; safe to share between threads."""

    def __init__(self, context: ChannelContext, connections: int, sms: Mapping[str, Any] | None = None) -> None:
        self._context, self._connections = context, connections
        self._sms = sms or context.settings["sms"]
        self.timeout_seconds = 2 * float(self._sms["timeout_seconds"])  # connecting, then waiting

    def create(self, address: str, text: str, reference: str, not_after: datetime) -> Any:
        """One message to one number; `reference` comes back with every report. Call inside `as_failures`."""
        return self._client.messages.create(
            to=address,
            body=text,
            status_callback=f"{self._context.settings['site']['public_url']}/hooks/twilio/status?{reference}",
            validity_period=self._validity(not_after),
            **self._sender,
        )

    def look_up(self, address: str, text: str, since: datetime) -> Receipt | None:
        """The newest message with this text to this number since then; raises SendFailure when nobody answers."""
        wanted = text.strip()
        with as_failures():
            listed = self._client.messages.list(to=address, date_sent_after=since - CLOCKS_APART, limit=1000)
        # A trial account puts a sentence of its own in front.
        found = next((message for message in listed if (message.body or "").strip().endswith(wanted)), None)
        return receipt(found) if found is not None else None

    @cached_property
    def _client(self) -> Any:
        sid, key = self._sms["account_sid"], self._sms["auth_token"]
        if not (sid and key and self._sms["sender"]):
            raise TemporaryFailure("sms.not-configured", alarm=True)
        client = Client(
            sid,
            key,
            http_client=PooledHttpClient(self._connections, float(self._sms["timeout_seconds"])),
            environment={"TWILIO_REGION": ""},  # never from this process's environment
        )
        if self._sms["base_url"]:
            client.api.base_url = self._sms["base_url"]
        return client

    @property
    def _sender(self) -> dict[str, str]:
        sender = str(self._sms["sender"])
        return {"messaging_service_sid": sender} if sender.startswith("MG") else {"from_": sender}

    def _validity(self, not_after: datetime) -> int:
        left = int((not_after - self._context.clock.now()).total_seconds())
        return max(1, min(left, LONGEST_VALIDITY))


def is_loopback(address: str) -> bool:
    """Whether a base URL can only reach this machine."""
    return is_here(urlsplit(address).hostname or "")


def receipt(message: Any) -> Receipt:
    """What the provider said of a message; raises SendFailure for one that will not arrive."""
    if not message.sid:
        raise OutcomeUnknown("sms.no-answer", code="no-sid")
    if message.status in _DEAD:
        failure = fault(200, int(message.error_code or 0))
        raise PermanentFailure(failure.reason, code=str(message.error_code or message.status), alarm=failure.alarm)
    outcome = Outcome.DELIVERED if message.status in ("delivered", "read") else Outcome.ACCEPTED
    return Receipt(outcome, message.sid, str(message.status))
