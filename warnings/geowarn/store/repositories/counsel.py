"""Comments, consultations, secrecy checks, and codes to sign with."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update

from geowarn.domain.people import Role
from geowarn.domain.review import Comment, Consultation, SecrecyCheck, SignCode
from geowarn.store.repositories.base import AnyRow, Repository, renamed, values_of
from geowarn.store.tables import consultation, review_comment, secrecy_check, sign_code


class SqlCounsel(Repository):
    """`ports.Counsel`."""

    def add_comment(self, given: Comment) -> None:
        """Add one remark."""
        self._add(review_comment, [renamed(values_of(given), user="account")])

    def comments(self, warning_id: str) -> tuple[Comment, ...]:
        """Remarks on every version of the warning, oldest first."""
        found = select(review_comment).where(review_comment.c.warning_id == warning_id)
        rows = self._rows(found.order_by(review_comment.c.at, review_comment.c.version, review_comment.c.id))
        return tuple(Comment(**renamed(row._asdict(), account="user")) for row in rows)

    def add_consultation(self, given: Consultation) -> None:
        """Add one consultation."""
        self._add(consultation, [renamed(values_of(given), user="account")])

    def consultations(self, proposal_id: str) -> tuple[Consultation, ...]:
        """Those about one version, oldest record first."""
        found = select(consultation).where(consultation.c.proposal_id == proposal_id)
        rows = self._rows(found.order_by(consultation.c.at, consultation.c.id))
        return tuple(Consultation(**renamed(row._asdict(), account="user")) for row in rows)

    def add_check(self, given: SecrecyCheck) -> None:
        """Add one secrecy check."""
        self._add(secrecy_check, [renamed(values_of(given), user="account") | {"role": given.role.value}])

    def checks(self, proposal_id: str) -> tuple[SecrecyCheck, ...]:
        """Those of one version, oldest first."""
        found = select(secrecy_check).where(secrecy_check.c.proposal_id == proposal_id)
        rows = self._rows(found.order_by(secrecy_check.c.at, secrecy_check.c.id))
        return tuple(SecrecyCheck(**renamed(r._asdict(), account="user") | {"role": Role(r.role)}) for r in rows)


def _code(row: AnyRow) -> SignCode:
    return SignCode(**renamed(row._asdict(), account="user"))


class SqlSignCodes(Repository):
    """`ports.SignCodes`."""

    def add(self, given: SignCode) -> None:
        """Add one; its id must be new."""
        self._add(sign_code, [renamed(values_of(given), user="account")])

    def get(self, code_id: str) -> SignCode | None:
        """One code, or None; a unit of work that writes keeps others off its warning until the end."""
        chosen = select(sign_code).where(sign_code.c.id == code_id)
        row = self._row(chosen)
        if row is not None and self._writing and self._postgres:
            self._hold_warning(row.warning_id)
            row = self._row(chosen)
        return _code(row) if row else None

    def of_warning(self, warning_id: str) -> tuple[SignCode, ...]:
        """Every code of the warning, oldest first."""
        found = select(sign_code).where(sign_code.c.warning_id == warning_id)
        return tuple(_code(row) for row in self._rows(found.order_by(sign_code.c.asked_at, sign_code.c.id)))

    def end(self, warning_id: str, user: str, at: datetime) -> None:
        """Let every code that this person still holds for the warning end now."""
        theirs = (sign_code.c.warning_id == warning_id) & (sign_code.c.account == user)
        live = sign_code.c.used_at.is_(None) & (sign_code.c.expires_at > at)
        self._run(update(sign_code).where(theirs & live).values(expires_at=at))

    def count_try(self, code_id: str) -> None:
        """Note one wrong code."""
        self._run(update(sign_code).where(sign_code.c.id == code_id).values(tries=sign_code.c.tries + 1))

    def use(self, code_id: str, at: datetime) -> bool:
        """Use the code up; exactly one caller ever gets True."""
        free = (sign_code.c.id == code_id) & sign_code.c.used_at.is_(None)
        return bool(self._rows(update(sign_code).where(free).values(used_at=at).returning(sign_code.c.id)))
