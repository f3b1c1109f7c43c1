"""SMS over the twilio SDK: one text a level and language, one call a number, and asking what became of it."""

from __future__ import annotations

from datetime import datetime

from geowarn.domain.errors import PermanentFailure
from geowarn.domain.package import Artefact
from geowarn.domain.warning import Series
from geowarn.ports import BulletinDraft, ChannelContext, Delivery, Limits, Measure, Message, Receipt, Target
from geowarn_channels.sms_pager import SmsPager
from geowarn_channels.sms_text import size
from geowarn_channels.sms_wording import MOST_PARTS, texts_of
from geowarn_channels.twilio_account import TwilioAccount, is_loopback, receipt
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
        )
        self.units_per_second = float(self._sms["segments_per_second"])
        self._account = TwilioAccount(context, self.limits.concurrency)
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
        self._refuse_leak(delivery)
        with as_failures():
            message = self._account.create(
                target.address, _text(delivery), f"dispatch={target.dispatch_id}", target.not_after
            )
        return receipt(message)

    def look_up(self, delivery: Delivery, target: Target, since: datetime) -> Receipt | None:
        """The newest message with this text to this number since then; raises SendFailure when nobody answers."""
        return self._account.look_up(target.address, _text(delivery), since)

    def _refuse_leak(self, delivery: Delivery) -> None:
        """House rule 10: what is not real never reaches a real provider."""
        content = delivery.bulletin.content
        unreal = content.synthetic or content.series is Series.EXERCISE
        unreal = unreal or bool(self._context.settings["installation"]["synthetic"])
        if unreal and not is_loopback(str(self._sms["base_url"])):
            raise PermanentFailure("sms.exercise-refused", alarm=True)


def _text(delivery: Delivery) -> str:
    return delivery.artefacts[delivery.variant].decode()
