"""Whom mail goes to: subscribers and imported addresses of the store, and the mailboxes of channels.toml."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from typing import Any

from geowarn.domain.errors import Refused
from geowarn.domain.exercise import TARGET
from geowarn.domain.level import Level
from geowarn.domain.subscriber import SUBSCRIBER, MailTarget, Wish, same_mailbox
from geowarn.ports import UnitOfWork, Vault

_ID = re.compile(r"m-[0-9a-f]{10}")
_MAC = 40  # hexadecimal digits: 160 bits


def is_subscriber(target_key: str) -> bool:
    """Whether a dispatch goes to a row of the store; else to a mailbox of channels.toml."""
    return bool(_ID.fullmatch(target_key))


def address_key(vault: Vault, address: str) -> str:
    """By what a mailbox is found again: useless without the key, and different from that of any telephone number."""
    return vault.key_of(f"mail\n{same_mailbox(address)}")


def leave_token(vault: Vault, subscriber_id: str) -> str:
    """What ends one subscription without logging in, and nothing else; the same in every mail, stored nowhere."""
    return f"{subscriber_id}.{vault.key_of(f'leave{chr(10)}{subscriber_id}')[:_MAC]}"


def who_leaves(vault: Vault, token: str) -> str | None:
    """The subscriber whose token this is, or None."""
    name = token.partition(".")[0]
    known = is_subscriber(name) and token.isascii()
    return name if known and hmac.compare_digest(leave_token(vault, name), token) else None


def mailing_list(work: UnitOfWork, facts: Mapping[str, Mapping[str, Any]]) -> tuple[MailTarget, ...]:
    """Everyone whom a bulletin may reach, in order; nobody where the channel is not enabled."""
    if "mail" not in facts["channels"].get("enabled", ()):
        return ()
    people = [
        MailTarget(one.id, one.wish, 2 if one.role == SUBSCRIBER else 1, group=grouped, trial=grouped)
        for one in work.subscribers.all()
        for grouped in (one.role == TARGET,)
    ]
    boxes = [
        MailTarget(
            name, Wish(box["language"], tuple(box["areas"]), Level.parse(box["least"])), 1, trial=box["live"] is False
        )
        for name, box in facts["channels"].get("mailboxes", {}).items()
    ]
    return (*boxes, *people)


def refuse_unknown_places(work: UnitOfWork, facts: Mapping[str, Mapping[str, Any]]) -> None:
    """Raise Refused where a mailbox of channels.toml names an area that is not there: it would never be reached."""
    known = {area.code for area in work.areas.plain()}
    for name, box in facts["channels"].get("mailboxes", {}).items():
        for code in box["areas"]:
            if code not in known:
                raise Refused("mail.no-such-place", name=name, area=code[:20])
