"""How much one issuer's feed may write in a day: what lies beyond it waits, and is told once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from geowarn.domain.errors import Refused
from geowarn.domain.issuers import Issuer
from geowarn.pipeline.issuers import IssuerDesk, note_refusal

_DAY = timedelta(hours=24)


@dataclass(slots=True)
class Room:
    """What is left of the last 24 hours for one feed: messages and refusals together, and bytes kept."""

    messages: int
    octets: int

    def takes(self, size: int) -> bool:
        """Whether a file of so many bytes has room; then it is taken up."""
        if self.messages < 1 or self.octets < size:
            return False
        self.messages, self.octets = self.messages - 1, self.octets - size
        return True


def room_of(desk: IssuerDesk, issuer: Issuer) -> Room:
    """The room that this feed has now."""
    with desk.store.read() as work:
        count, payloads = work.issued.load(issuer.name, desk.clock.now() - _DAY)
    kept = (desk.raw_dir / payload for payload in payloads)
    octets = sum(file.stat().st_size for file in kept if file.is_file())
    return Room(issuer.daily_messages - count, (issuer.daily_mebibytes << 20) - octets)


def note_flood(desk: IssuerDesk, issuer: Issuer, place: str, waiting: int) -> Refused:
    """The task and the ledger's entry that a feed sends too much, once a day; returns the reason."""
    facts = {"issuer": issuer.name, "count": waiting, "limit": issuer.daily_messages, "size": issuer.daily_mebibytes}
    refusal = Refused("issuers.too-much", file=place, **facts)
    note_refusal(desk, issuer, f"{desk.clock.now():%Y-%m-%d}".encode(), place, refusal)
    return refusal
