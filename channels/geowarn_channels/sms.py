"""SMS over the twilio SDK: one text a level and language, one call a number, and asking what became of it."""

from __future__ import annotations

from datetime import datetime

from geowarn.domain.exercise import is_exercise
from geowarn.domain.package import Artefact
from geowarn.ports import BulletinDraft, ChannelContext, Delivery, Limits, Measure, Message, Receipt, Target
from geowarn_channels.sms_account import refuse_leak, trial_sms
from geowarn_channels.sms_pager import SmsPager
from geowarn_channels.sms_text import size
from geowarn_channels.sms_wording import MOST_PARTS, texts_of
from geowarn_channels.twilio_account import TwilioAccount, receipt
from geowarn_channels.twilio_faults import as_failures


class SmsChannel:
    """`geowarn.ports.Channel` and `geowarn.ports.Reconciling`; paced by the sender's allowance in parts a second."""

    name = "sms"

    def __init__(self, context: ChannelContext) -> None:
        self._context = context
        self._sms = context.settings["sms"]
        self.limits = Limits(
            languages=("zh", "en"),
            longest=None,
            repeat_is_safe=False,
            batch=500,
            concurrency=int(self._sms["workers"]),
            exercises=True,
        )
        self.units_per_second = float(self._sms["segments_per_second"])
        self._account = TwilioAccount(context, self.limits.concurrency)
        self._trial = TwilioAccount(context, self.limits.concurrency, trial_sms(context.settings))
        self.timeout_seconds = self._account.timeout_seconds
        self.pager = SmsPager(context, self._account)

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
        refuse_leak(self._context.settings, delivery.bulletin)
        with as_failures():
            message = self._account_of(delivery).create(
                target.address, _text(delivery), f"dispatch={target.dispatch_id}", target.not_after
            )
        return receipt(message)

    def look_up(self, delivery: Delivery, target: Target, since: datetime) -> Receipt | None:
        """The newest message with this text to this number since then; raises SendFailure when nobody answers."""
        return self._account_of(delivery).look_up(target.address, _text(delivery), since)

    def _account_of(self, delivery: Delivery) -> TwilioAccount:
        return self._trial if is_exercise(delivery.bulletin) else self._account


def _text(delivery: Delivery) -> str:
    return delivery.artefacts[delivery.variant].decode()
