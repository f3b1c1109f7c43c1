"""What the store keeps of second factors."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from geowarn.domain.identity import SecondFactor


class Factors(Protocol):
    """Second factors and recovery codes of the store."""

    def save(self, factor: SecondFactor) -> None: ...

    def get(self, account: str) -> SecondFactor | None:
        """The person's factor; inside a writing unit of work nobody else can use it until the end."""
        ...

    def delete(self, account: str) -> None:
        """Remove the factor and its recovery codes."""
        ...

    def set_recovery(self, account: str, keys: tuple[str, ...]) -> None:
        """Replace the person's recovery codes by new ones."""
        ...

    def burn_recovery(self, account: str, key: str, at: datetime) -> bool:
        """Use a recovery code up; False when there is none such, or it was used already."""
        ...

    def recovery_left(self, account: str) -> int:
        """How many recovery codes are not used yet."""
        ...
