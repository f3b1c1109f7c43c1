"""Follows the links of another issuer's feed: what is new first, what could not be fetched last, each tried once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from geowarn.domain.errors import Refused
from geowarn.domain.issuer_marks import How, Mark, marks_of, unread
from geowarn.domain.issuers import Issuer
from geowarn.pipeline.issuer_limits import Room, note_flood, room_of
from geowarn.pipeline.issuers import Came, IssuerDesk, note_refusal, take_message, whatever_it_is
from geowarn.ports import Brought, FeedLink

MOST_MESSAGES = 60  # fetched at one poll; the rest at the next
_FORGET = timedelta(days=3)  # what a feed has not named for so long is fetched again when it names it
_STOPPED = "fetch.stopped"
_NEW = Mark("")


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came, why the feed does not count as heard, and whether all of it was fetched."""

    came: tuple[Came, ...] = ()
    fault: Refused | None = None
    complete: bool = True


def follow(desk: IssuerDesk, issuer: Issuer, body: bytes | None, again: bool) -> Fetched:
    """Fetch what a feed names and was not taken yet; None where it is as it was. Raises Refused where it is none."""
    with desk.store.read() as work:
        kept = marks_of(work.issued.marks(issuer.name))
    if body is None:
        return Fetched(fault=_unheard(issuer, kept))
    try:
        with whatever_it_is(issuer.address):
            links = desk.feeds.links(body, issuer.address, issuer.hosts)
    except Refused as refusal:
        note_refusal(desk, issuer, body, issuer.address, refusal)
        raise
    known = {link.address: kept[link.address] for link in links if _same(kept.get(link.address), link)}
    wanted = [link for link in links if again or not (link.address in known and known[link.address].final)]
    wanted.sort(key=lambda link: known.get(link.address, _NEW).tries)  # what failed least often, else as it is named
    came, found, flood = _taken(desk, issuer, wanted, known)
    named = {**known, **found}
    heard = any(one.refusal is None for one in came)
    marks = {address: mark.passed() if heard else mark for address, mark in named.items()}
    gone = {address: mark.passed() for address, mark in kept.items() if address not in marks and mark.unread}
    _keep(desk, issuer, {**gone, **marks})
    complete = all(link.address in marks and marks[link.address].final for link in links)
    return Fetched(tuple(came), flood or _unheard(issuer, marks), complete)


def reason_of(fault: Exception, address: str) -> Refused:
    """Why something could not be fetched."""
    if isinstance(fault, Refused):
        return fault
    return Refused("fetch.unreachable", url=address, reason=type(fault).__name__, tries=1)


def _same(mark: Mark | None, link: FeedLink) -> bool:
    return mark is not None and mark.mark == link.mark


def _unheard(issuer: Issuer, marks: Mapping[str, Mark]) -> Refused | None:
    count = unread(marks.values())
    return Refused("issuers.none-read", file=issuer.address, count=count) if count else None


def _taken(
    desk: IssuerDesk, issuer: Issuer, wanted: Sequence[FeedLink], known: Mapping[str, Mark]
) -> tuple[list[Came], dict[str, Mark], Refused | None]:
    """What came of the links, their new marks by address, and why the rest has to wait, if not for its turn."""
    came: list[Came] = []
    found: dict[str, Mark] = {}
    room = room_of(desk, issuer) if wanted else Room(1, 0)
    for link, answer in _answers(desk, issuer, wanted, room):
        body = (answer.body or b"") if isinstance(answer, Brought) else b""
        if not room.takes(len(body)):
            break
        before = known.get(link.address, Mark(link.mark))
        if isinstance(answer, Brought):
            came.append(take_message(desk, issuer, body, link.address))
            found[link.address] = Mark(link.mark, How.REFUSED if came[-1].refusal else How.TAKEN)
            continue
        named = f"{link.address} {link.mark}".encode()
        note_refusal(desk, issuer, named, link.address, reason_of(answer, link.address))
        found[link.address] = before.missed() if link.sound else replace(before, how=How.REFUSED)
    else:
        if room.messages > 0 or len(found) == len(wanted):
            return came, found, None
    return came, found, note_flood(desk, issuer, issuer.address, len(wanted) - len(found))


def _answers(
    desk: IssuerDesk, issuer: Issuer, wanted: Sequence[FeedLink], room: Room
) -> Iterator[tuple[FeedLink, Brought | Exception]]:
    for link in wanted:
        if not link.sound:
            yield link, Refused("issuers.link", file=issuer.address, value=link.address[:120])
    asked = [link for link in wanted if link.sound][: min(MOST_MESSAGES, max(room.messages, 0))]
    answers = desk.carrier.get(issuer, [(link.address, {}) for link in asked], once=True) if asked else ()
    for link, answer in zip(asked, answers, strict=False):  # where the time is over, the last were not asked
        if not (isinstance(answer, Refused) and answer.key == _STOPPED):
            yield link, answer


def _keep(desk: IssuerDesk, issuer: Issuer, marks: Mapping[str, Mark]) -> None:
    now = desk.clock.now()
    with desk.store.begin() as work:
        work.issued.save_marks(issuer.name, {address: str(mark) for address, mark in marks.items()}, now)
        work.issued.forget_marks(issuer.name, now - _FORGET)
        work.commit()
