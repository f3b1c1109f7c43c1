"""Texts to people on duty, through the same account as the warnings."""

from __future__ import annotations

from datetime import datetime

from geowarn.domain.errors import PermanentFailure
from geowarn.ports import ChannelContext, Receipt
from geowarn_channels.twilio_account import TwilioAccount, is_loopback, receipt
from geowarn_channels.twilio_faults import as_failures

# The provider delivers no replies from here: twilio.com/en-us/guidelines/cn/sms
_ONE_WAY = ("+86",)
# Texts with links are filtered there, says the same page.
_FILTERING = ("+86",)


class SmsPager:
    """`geowarn.ports.Pager` over SMS."""

    def __init__(self, context: ChannelContext, account: TwilioAccount) -> None:
        self._settings, self._account = context.settings, account
        self.timeout_seconds = account.timeout_seconds

    def can_be_answered(self, address: str) -> bool:
        """Whether the person at this number can reply: not from mainland China, nor to an alphanumeric sender."""
        sender = str(self._settings["sms"]["sender"])
        return not address.startswith(_ONE_WAY) and sender.startswith(("+", "MG"))

    def takes_links(self, address: str) -> bool:
        """Whether a text with an address in it arrives: carriers of mainland China filter such texts."""
        return not address.startswith(_FILTERING)

    def page(self, address: str, text: str, notice_id: str, not_after: datetime) -> Receipt:
        """Send one text; raises TemporaryFailure, PermanentFailure or OutcomeUnknown.

        An installation on synthetic input reaches this machine only (house rule 10).
        """
        if self._settings["installation"]["synthetic"] and not is_loopback(str(self._settings["sms"]["base_url"])):
            raise PermanentFailure("sms.exercise-refused", alarm=True)
        with as_failures():
            message = self._account.create(address, text, f"notice={notice_id}", not_after)
        return receipt(message)

    def look_up(self, address: str, text: str, since: datetime) -> Receipt | None:
        """What became of this text sent since then, None when the far end never had it; raises SendFailure."""
        return self._account.look_up(address, text, since)
