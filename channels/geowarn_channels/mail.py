"""Mail over SMTP: one text a level and language, one mail a mailbox; nobody can be asked afterwards what became of it.

"Accepted" is the word of the first server. What other servers say later comes as a mail to `bounces_to`, which a
person reads; no mail is ever called delivered.
"""

from __future__ import annotations

from functools import cached_property

from geowarn.domain.dispatch import Outcome
from geowarn.domain.errors import PermanentFailure
from geowarn.domain.exercise import exercise_facts, is_exercise
from geowarn.domain.network import is_here
from geowarn.domain.package import Artefact
from geowarn.ports import BulletinDraft, ChannelContext, Delivery, Letter, Limits, Message, Receipt, Target
from geowarn_channels.mail_account import check_account, refuse_leak, sender_of, server_of, trial_mail
from geowarn_channels.mail_form import Sender, Sheet, whole
from geowarn_channels.mail_wire import Wire
from geowarn_channels.mail_wording import mails_of

_URGENT = ("red", "orange")


class MailChannel:
    """`geowarn.ports.Channel`; paced by what the office's server takes in mails a second."""

    name = "mail"

    def __init__(self, context: ChannelContext) -> None:
        self._settings, self._templates, mail = context.settings, context.templates, context.settings["mail"]
        check_account(mail, "mail")
        trial = trial_mail(context.settings)
        if trial["host"]:
            check_account(trial, "exercise", "mail_")
        self.limits = Limits(
            languages=("zh", "en"),
            longest=None,
            repeat_is_safe=False,
            batch=500,
            concurrency=int(mail["workers"]),
            exercises=True,
        )
        self.units_per_second = float(mail["messages_per_second"])
        self._wire, self._trial = Wire(server_of(mail)), Wire(server_of(trial))
        self.timeout_seconds = self._wire.timeout_seconds
        self._sender = sender_of(mail, context.settings["installation"])
        self._addresses = {
            name: str(box["address"]) for name, box in context.settings["channels"].get("mailboxes", {}).items()
        }
        self.postman = MailPostman(self._wire, self._sender, context)

    def units(self, body: bytes) -> int:
        """Servers count mails, whatever their length."""
        return 1

    def prepare(self, draft: BulletinDraft) -> Message:
        """Two files a level and language."""
        artefacts = []
        for path, text, page in mails_of(self._templates, draft):
            artefacts.append(Artefact(f"{path}.txt", "text/plain; charset=utf-8", text.encode()))
            artefacts.append(Artefact(f"{path}.html", "text/html; charset=utf-8", page.encode()))
        return Message(self.name, tuple(artefacts))

    def send(self, delivery: Delivery, target: Target) -> Receipt:
        """One mail to one mailbox; raises TemporaryFailure, PermanentFailure or OutcomeUnknown."""
        refuse_leak(self._settings, delivery.bulletin)
        address = target.address if "@" in target.address else self._addresses.get(target.address)
        if address is None:
            raise PermanentFailure("mail.unknown-mailbox", code=target.address[:40], alarm=True)
        exercise = is_exercise(delivery.bulletin)
        sender, wire = (self._trial_sender, self._trial) if exercise else (self._sender, self._wire)
        sheet = self._sheet(delivery, target, address)
        said = wire.carry(self._returns_to(exercise), address, whole(sender, sheet))
        return Receipt(Outcome.ACCEPTED, sender.message_id(sheet.key), said)

    def probe(self) -> str:
        """Connect and log in as for a mail, and hang up; returns where. Raises TemporaryFailure."""
        server = server_of(self._settings["mail"])
        self._wire.probe()
        return f"{server.host}:{server.port} ({server.security})"

    def _sheet(self, delivery: Delivery, target: Target, address: str) -> Sheet:
        stem = delivery.variant.rpartition(".")[0]
        code, language = stem.rpartition("/")[2].split(".")
        subject, _, text = delivery.artefacts[f"{stem}.txt"].decode().partition("\n")
        html = delivery.artefacts[f"{stem}.html"].decode()
        base = f"{self._settings['site']['public_url']}/{'' if language == 'zh' else 'en/'}"
        leave = f"{base}subscribe-end?token={target.leave}" if target.leave else ""
        return Sheet(
            key=target.dispatch_id,
            to=address,
            language=language,
            subject=subject,
            text=text.lstrip("\n"),
            html=html,
            at=delivery.bulletin.released_at,
            leave=leave,
            urgent=code in _URGENT and not delivery.bulletin.act.value.startswith(("lift", "cancel", "retract")),
        )

    @cached_property
    def _trial_sender(self) -> Sender:
        return sender_of(trial_mail(self._settings), exercise_facts(self._settings)["installation"])

    def _returns_to(self, exercise: bool) -> str:
        mail = trial_mail(self._settings) if exercise else self._settings["mail"]
        return str(mail["bounces_to"] or mail["sender"])


class MailPostman:
    """`geowarn.ports.Postman` over the same server."""

    def __init__(self, wire: Wire, sender: Sender, context: ChannelContext) -> None:
        self._wire, self._sender, self._settings = wire, sender, context.settings
        self.timeout_seconds = wire.timeout_seconds

    def carry(self, letter: Letter) -> Receipt:
        """Hand one letter over; raises TemporaryFailure, PermanentFailure or OutcomeUnknown.

        An installation on synthetic input reaches this machine only (house rule 10).
        """
        mail = self._settings["mail"]
        if self._settings["installation"]["synthetic"] and not is_here(str(mail["host"])):
            raise PermanentFailure("mail.exercise-refused", alarm=True)
        sheet = Sheet(
            letter.id, letter.address, letter.language, letter.subject, letter.text, letter.html, letter.written_at,
            of_list=False,
        )  # fmt: skip
        said = self._wire.carry(str(mail["bounces_to"] or mail["sender"]), letter.address, whole(self._sender, sheet))
        return Receipt(Outcome.ACCEPTED, self._sender.message_id(letter.id), said)
