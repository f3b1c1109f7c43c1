"""What the store keeps beside the signatures: comments, consultations, secrecy checks, codes to sign with."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from geowarn.domain.review import Comment, Consultation, SecrecyCheck, SignCode


class Counsel(Protocol):
    """What people said of a proposal; a row once written refuses UPDATE and DELETE."""

    def add_comment(self, given: Comment) -> None: ...

    def comments(self, warning_id: str) -> tuple[Comment, ...]:
        """Remarks on every version of the warning, oldest first."""
        ...

    def add_consultation(self, given: Consultation) -> None: ...

    def consultations(self, proposal_id: str) -> tuple[Consultation, ...]:
        """Those about one version, oldest record first."""
        ...

    def add_check(self, given: SecrecyCheck) -> None: ...

    def checks(self, proposal_id: str) -> tuple[SecrecyCheck, ...]:
        """Those of one version, oldest first."""
        ...


class SignCodes(Protocol):
    """Codes to sign with, by their reference."""

    def add(self, given: SignCode) -> None: ...

    def get(self, code_id: str) -> SignCode | None: ...

    def of_warning(self, warning_id: str) -> tuple[SignCode, ...]:
        """Every code of the warning, oldest first."""
        ...

    def end(self, warning_id: str, user: str, at: datetime) -> None:
        """Let every code that this person still holds for the warning end now."""
        ...

    def count_try(self, code_id: str) -> None:
        """Note one wrong code."""
        ...

    def use(self, code_id: str, at: datetime) -> bool:
        """Use the code up; exactly one caller ever gets True."""
        ...
