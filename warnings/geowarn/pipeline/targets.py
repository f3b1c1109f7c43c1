"""A claimed row → what the channel needs to send it; numbers and addresses are opened here, just before the call."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass, field

from geowarn.domain.bulletin import Bulletin
from geowarn.domain.dispatch import Dispatch
from geowarn.domain.errors import PermanentFailure, Refused, SendFailure, TemporaryFailure
from geowarn.domain.exercise import TARGET, in_group, is_exercise
from geowarn.domain.subscriber import SUBSCRIBER
from geowarn.domain.warning import Act
from geowarn.pipeline.mailing import is_subscriber, leave_token
from geowarn.ports import Channel, Delivery, Target, UnitOfWork, Vault

_ENDING = frozenset({Act.LIFT, Act.CANCEL, Act.RETRACT})
_KEPT = 8  # bulletins whose bytes are held in memory
_KEYED = re.compile(r"[0-9a-f]{64}")  # a number's keyed hash; every other key is its own address


@dataclass(frozen=True, slots=True)
class Job:
    """One row ready to be sent, or the failure that keeps it from being sent at all."""

    dispatch: Dispatch
    delivery: Delivery | None
    sealed: bytes | None = field(default=None, repr=False)
    leaves: str = ""  # the subscriber whose subscription can be ended from the message
    failure: SendFailure | None = None
    overtaken: bool = False
    trial: bool = False  # the target is marked as a test


class Loader:
    """Reads bulletins and targets of one channel; frozen bytes are read once."""

    def __init__(self, channel: Channel, vault: Vault, trials: Collection[str] = frozenset()) -> None:
        self._channel, self._vault = channel, vault
        self._trials = frozenset({TARGET, *trials})
        self._held: OrderedDict[str, tuple[Bulletin, dict[str, bytes]]] = OrderedDict()

    def job(self, work: UnitOfWork, dispatch: Dispatch) -> Job:
        """What sending this row needs, as things stand in this transaction."""
        bulletin, files = self._bulletin(work, dispatch.bulletin_id)
        delivery = Delivery(bulletin, files, dispatch.variant)
        if self._channel.name == "mail":
            return self._mail_job(work, dispatch, delivery)
        if not _KEYED.fullmatch(dispatch.target_key):
            return Job(dispatch, delivery, trial=dispatch.target_key in self._trials)
        exercise, known = is_exercise(bulletin), work.recipients.by_phone_key(dispatch.target_key)
        registrations = [found for found in known if in_group(found) is exercise]
        if exercise and known and not registrations:
            return Job(dispatch, delivery)  # a number of the public: the lane refuses it
        if not registrations:
            return Job(dispatch, delivery, failure=PermanentFailure("deliver.deleted"))
        if all(found.opted_out_at is not None for found in registrations):
            return Job(dispatch, delivery, failure=PermanentFailure("deliver.opted-out"))
        return Job(dispatch, delivery, sealed=registrations[0].phone_sealed, trial=exercise)

    def _mail_job(self, work: UnitOfWork, dispatch: Dispatch, delivery: Delivery) -> Job:
        if not is_subscriber(dispatch.target_key):
            return Job(dispatch, delivery, trial=dispatch.target_key in self._trials)
        exercise, found = is_exercise(delivery.bulletin), work.subscribers.get(dispatch.target_key)
        if found is None or (found.role == TARGET and not exercise):
            return Job(dispatch, delivery, failure=PermanentFailure("deliver.deleted"))
        if exercise and found.role != TARGET:
            return Job(dispatch, delivery)  # an address of the public: the lane refuses it
        leaves = found.id if found.role == SUBSCRIBER else ""
        return Job(dispatch, delivery, found.address_sealed, leaves, trial=exercise)

    def overtaken(self, work: UnitOfWork, bulletin_id: str) -> bool:
        """Whether a later bulletin of the same warning has been released (house rule 6), or its exercise is over."""
        bulletin, _ = self._bulletin(work, bulletin_id)
        if is_exercise(bulletin) and bulletin.act not in _ENDING and work.exercises.running() is None:
            return True
        return work.bulletins.of_warning(bulletin.warning_id)[-1].id != bulletin_id

    def of_exercise(self, work: UnitOfWork, bulletin_id: str) -> bool:
        """Whether this bulletin is an exercise's."""
        return is_exercise(self._bulletin(work, bulletin_id)[0])

    def target(self, job: Job) -> Target:
        """The target with its address; raises TemporaryFailure when the key for the number is not there."""
        row = job.dispatch
        try:
            address = self._vault.open(job.sealed) if job.sealed is not None else row.target_key
            leave = leave_token(self._vault, job.leaves) if job.leaves else ""
        except Refused:
            raise TemporaryFailure("deliver.no-key", alarm=True) from None
        return Target(row.id, row.target_key, address, row.not_after, leave)

    def _bulletin(self, work: UnitOfWork, bulletin_id: str) -> tuple[Bulletin, dict[str, bytes]]:
        held = self._held.get(bulletin_id)
        if held is None:
            bulletin = work.bulletins.get(bulletin_id)
            if bulletin is None:
                raise LookupError(f"bulletin {bulletin_id} is not stored although it has dispatches")
            prefixes = (f"{self._channel.name}/", *self._channel.limits.carries)
            files = work.bulletins.artefacts(bulletin_id)
            held = bulletin, {path: body for path, body in files.items() if path.startswith(prefixes)}
            self._held[bulletin_id] = held
            while len(self._held) > _KEPT:
                self._held.popitem(last=False)
        return held
