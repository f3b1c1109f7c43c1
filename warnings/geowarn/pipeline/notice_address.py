"""Whose number a notice goes to: a person on duty, or a contact of a place that must answer.

A voice call goes through the same port (`ports.Pager`) once an adapter speaks; today the only one sends texts.
"""

from __future__ import annotations

from geowarn.domain.calls import CALL
from geowarn.domain.errors import PermanentFailure
from geowarn.domain.exercise import is_exercise
from geowarn.domain.notice import Notice
from geowarn.ports import UnitOfWork


def sealed_number(work: UnitOfWork, notice: Notice, real: dict[str, bool] | None = None) -> bytes:
    """The number, still encrypted; raises PermanentFailure where the notice must not or cannot be sent.

    `real` remembers of bulletins, which never change, whether they are exercises.
    """
    if notice.kind == CALL:
        return _contacts(work, notice, {} if real is None else real)
    user = work.users.get(notice.person)
    if user is None or not user.active or user.phone_sealed is None:
        raise PermanentFailure("notices.no-number")
    return user.phone_sealed


def _contacts(work: UnitOfWork, notice: Notice, real: dict[str, bool]) -> bytes:
    """Of the register as it is now; no contact is reached about an exercise, or once nothing is asked any more."""
    call = work.calls.get(notice.subject)
    if call is not None and call.bulletin_id not in real:
        bulletin = work.bulletins.get(call.bulletin_id)
        real[call.bulletin_id] = bulletin is not None and not is_exercise(bulletin)
    if call is None or not real[call.bulletin_id]:
        raise PermanentFailure("calls.not-real", alarm=True)
    if not call.open:
        raise PermanentFailure("calls.not-asked-now")
    contact = work.contacts.get(call.place, int(notice.facts["order"]))
    if contact is None:
        raise PermanentFailure("calls.no-contact")
    return contact.phone_sealed
