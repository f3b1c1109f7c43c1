"""SMS over the twilio SDK: one text a level and language, one call a number, and asking what became of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from geowarn.domain.dispatch import Outcome
from geowarn.domain.errors import OutcomeUnknown, PermanentFailure
from geowarn.domain.package import Artefact
from geowarn.ports import BulletinDraft, ChannelContext, Delivery, Limits, Measure, Message, Receipt, Target
from geowarn_channels.sms_account import Accounts
from geowarn_channels.sms_text import size
from geowarn_channels.sms_wording import MOST_PARTS, texts_of
from geowarn_channels.twilio_faults import as_failures, fault

LONGEST_VALIDITY = 36_000  # seconds the provider may keep a message
CLOCKS_APART = timedelta(minutes=5)  # how far the provider's clock may be from ours
_DEAD = ("failed", "undelivered", "canceled")


class SmsChannel:
    """`geowarn.ports.Channel` and `geowarn.ports.Reconciling`; paced by the sender's allowance in parts a second."""

    name = "sms"

    def __init__(self, context: ChannelContext) -> None:
        self._context = context
        self._sms = context.settings["sms"]
        self._accounts = Accounts(context.settings)
        self.limits = Limits(
            languages=("zh", "en"),
            longest=None,
            repeat_is_safe=False,
            batch=500,
            concurrency=int(self._sms["workers"]),
            exercises=True,
        )
        self.units_per_second = float(self._sms["segments_per_second"])
        self.timeout_seconds = 2 * float(self._sms["timeout_seconds"])  # connecting, then waiting

    def units(self, body: bytes) -> int:
        """Parts this text costs."""
        return size(body.decode()).parts

    def prepare(self, draft: BulletinDraft) -> Message:
        """One file a level and language; too long a text is a problem that blocks release."""
        artefacts, measures, problems = [], [], []
        for path, language, text in texts_of(self._context.templates, draft):
            found = size(text)
            limit = found.room(MOST_PARTS[language])
            artefacts.append(Artefact(path, "text/plain; charset=utf-8", text.encode()))
            measures.append(Measure(path, found.units, limit, found.parts, found.encoding))
            if found.units > limit or found.parts > MOST_PARTS[language]:
                problems.append(("sms.too-long", {"path": path, "units": found.units, "limit": limit}))
        return Message(self.name, tuple(artefacts), tuple(measures), tuple(problems))

    def send(self, delivery: Delivery, target: Target) -> Receipt:
        """One message to one number; raises TemporaryFailure, PermanentFailure or OutcomeUnknown."""
        account = self._accounts.of(delivery.bulletin)
        with as_failures():
            message = account.client.messages.create(
                to=target.address,
                body=_text(delivery),
                status_callback=f"{self._context.settings['site']['public_url']}"
                f"/hooks/twilio/status?dispatch={target.dispatch_id}",
                validity_period=self._validity(target),
                **account.sending,
            )
        return _receipt(message)

    def look_up(self, delivery: Delivery, target: Target, since: datetime) -> Receipt | None:
        """The newest message with this text to this number since then; raises SendFailure when nobody answers."""
        text, account = _text(delivery).strip(), self._accounts.of(delivery.bulletin)
        with as_failures():
            listed = account.client.messages.list(to=target.address, date_sent_after=since - CLOCKS_APART, limit=1000)
        # A trial account puts a sentence of its own in front.
        found = next((message for message in listed if (message.body or "").strip().endswith(text)), None)
        return _receipt(found) if found is not None else None

    def _validity(self, target: Target) -> int:
        left = int((target.not_after - self._context.clock.now()).total_seconds())
        return max(1, min(left, LONGEST_VALIDITY))


def _text(delivery: Delivery) -> str:
    return delivery.artefacts[delivery.variant].decode()


def _receipt(message: Any) -> Receipt:
    if not message.sid:
        raise OutcomeUnknown("sms.no-answer", code="no-sid")
    if message.status in _DEAD:
        failure = fault(200, int(message.error_code or 0))
        raise PermanentFailure(failure.reason, code=str(message.error_code or message.status), alarm=failure.alarm)
    outcome = Outcome.DELIVERED if message.status in ("delivered", "read") else Outcome.ACCEPTED
    return Receipt(outcome, message.sid, str(message.status))
