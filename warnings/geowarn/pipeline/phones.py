"""How a person on duty is reached: one number, sealed at once, shown masked everywhere."""

from __future__ import annotations

from dataclasses import replace

import phonenumbers

from geowarn.domain.errors import Refused
from geowarn.domain.people import User
from geowarn.domain.recipient import mask_phone
from geowarn.pipeline.actor import hold_user
from geowarn.pipeline.notices import reached
from geowarn.pipeline.recipient_file import NEVER_ASSIGNED
from geowarn.ports import Clock, Store, Vault


def number_of(text: str) -> tuple[str, str]:
    """(E.164, masked) of a number with its country code; raises Refused without showing it."""
    try:
        parsed = phonenumbers.parse(text[:40], None)
    except phonenumbers.NumberParseException:
        raise Refused("notices.not-a-number") from None
    phone = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    valid = phonenumbers.is_possible_number(parsed) and phonenumbers.is_valid_number(parsed)
    if parsed.extension or not (valid or NEVER_ASSIGNED.fullmatch(phone)):
        raise Refused("notices.not-a-number")
    return phone, mask_phone(parsed.country_code or 0, phone)


def set_phone(store: Store, vault: Vault, clock: Clock, name: str, text: str, actor: str) -> User:
    """Give a person the number on which they are reached; an empty text takes it away. Raises Refused."""
    phone, masked = number_of(text) if text.strip() else ("", "")
    with store.begin() as work:
        now = clock.now()
        user = replace(hold_user(work, name), phone_sealed=vault.seal(phone) if phone else None, phone_masked=masked)
        work.users.save(user)
        if phone:
            reached(work, name, now)  # the old number's failures say nothing about the new one
        work.ledger.append(now, actor, "user.phone", name, {"number": masked or None})
        work.commit()
    return user
