"""Who does something, by which way, from where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from geowarn.domain.errors import NotFound, Refused
from geowarn.domain.people import Role, User
from geowarn.ports import UnitOfWork

SYSTEM = "system"


class Doer(Protocol):
    """Who or what the ledger names for an act."""

    @property
    def label(self) -> str:
        """How the ledger names it."""
        ...


@dataclass(frozen=True, slots=True)
class Machine:
    """The system itself."""

    label: str = SYSTEM


@dataclass(frozen=True, slots=True)
class Actor:
    """A person acting; `via` is "console" or "command line", `origin` a network address or an OS user."""

    user: User
    via: str
    origin: str

    @property
    def label(self) -> str:
        """How the ledger names the actor."""
        return f"{self.user.name} ({self.via}, {self.origin})"

    def need(self, *roles: Role) -> None:
        """Raise Refused when the person holds none of these roles."""
        if not self.user.roles.intersection(roles):
            raise Refused(
                "people.role-missing", user=self.user.name, roles=", ".join(sorted(role.value for role in roles))
            )


def find_user(work: UnitOfWork, name: str) -> User:
    """The active user of this name; raises NotFound."""
    user = work.users.get(name)
    if user is None or not user.active:
        raise NotFound("people.unknown-user", user=name)
    return user
