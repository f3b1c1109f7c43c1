"""A claimed row → what the channel needs to send it; phone numbers are opened only here, just before the call."""

from __future__ import annotations

import re
from collections import OrderedDict
from dataclasses import dataclass, field

from geowarn.domain.bulletin import Bulletin
from geowarn.domain.dispatch import Dispatch
from geowarn.domain.errors import PermanentFailure, Refused, SendFailure, TemporaryFailure
from geowarn.ports import Channel, Delivery, Target, UnitOfWork, Vault

_KEPT = 8  # bulletins whose bytes are held in memory
_KEYED = re.compile(r"[0-9a-f]{64}")  # a number's keyed hash; every other key is its own address


@dataclass(frozen=True, slots=True)
class Job:
    """One row ready to be sent, or the failure that keeps it from being sent at all."""

    dispatch: Dispatch
    delivery: Delivery | None
    sealed: bytes | None = field(default=None, repr=False)
    failure: SendFailure | None = None
    overtaken: bool = False


class Loader:
    """Reads bulletins and targets of one channel; frozen bytes are read once."""

    def __init__(self, channel: Channel, vault: Vault) -> None:
        self._channel, self._vault = channel, vault
        self._held: OrderedDict[str, tuple[Bulletin, dict[str, bytes]]] = OrderedDict()

    def job(self, work: UnitOfWork, dispatch: Dispatch) -> Job:
        """What sending this row needs, as things stand in this transaction."""
        bulletin, files = self._bulletin(work, dispatch.bulletin_id)
        delivery = Delivery(bulletin, files, dispatch.variant)
        if not _KEYED.fullmatch(dispatch.target_key):
            return Job(dispatch, delivery)
        registrations = work.recipients.by_phone_key(dispatch.target_key)
        if not registrations:
            return Job(dispatch, delivery, failure=PermanentFailure("deliver.deleted"))
        if all(found.opted_out_at is not None for found in registrations):
            return Job(dispatch, delivery, failure=PermanentFailure("deliver.opted-out"))
        return Job(dispatch, delivery, sealed=registrations[0].phone_sealed)

    def overtaken(self, work: UnitOfWork, bulletin_id: str) -> bool:
        """Whether a later bulletin of the same warning has been released (house rule 6)."""
        bulletin, _ = self._bulletin(work, bulletin_id)
        return work.bulletins.of_warning(bulletin.warning_id)[-1].id != bulletin_id

    def target(self, job: Job) -> Target:
        """The target with its address; raises TemporaryFailure when the key for the number is not there."""
        row = job.dispatch
        try:
            address = self._vault.open(job.sealed) if job.sealed is not None else row.target_key
        except Refused:
            raise TemporaryFailure("deliver.no-key", alarm=True) from None
        return Target(row.id, row.target_key, address, row.not_after)

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
