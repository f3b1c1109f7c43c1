"""Who does something, by which way, from where."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from geowarn.domain.area import Area, ancestors, by_code
from geowarn.domain.errors import NotEntitled, NotFound
from geowarn.domain.people import Role, User
from geowarn.domain.warning import Content
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

    def need(self, *roles: Role, work: UnitOfWork | None = None, areas: Iterable[str] = ()) -> None:
        """Raise NotEntitled unless one of these roles is held over all `areas`, which `work` knows the parents of.

        Without areas the act concerns the whole installation, and the role must be held everywhere.
        """
        self.need_somewhere(*roles)
        if not self.roles_over(work, areas).intersection(roles):
            held = sorted({code for role in roles for code in self.user.areas.get(role, ())})
            raise NotEntitled("people.area-missing", user=self.user.name, areas=", ".join(held))

    def need_somewhere(self, *roles: Role) -> None:
        """Raise NotEntitled when the person holds none of these roles anywhere."""
        if not self.user.roles.intersection(roles):
            raise NotEntitled(
                "people.role-missing", user=self.user.name, roles=", ".join(sorted(role.value for role in roles))
            )

    def roles_over(self, work: UnitOfWork | None, areas: Iterable[str]) -> frozenset[Role]:
        """The roles this person holds over all these areas."""
        return roles_over(self.user, by_code(work.areas.plain()) if work and self.user.areas else {}, areas)


def roles_over(user: User, known: Mapping[str, Area], areas: Iterable[str]) -> frozenset[Role]:
    """The roles a person holds over all these areas; an area nobody knows lies in none."""
    return user.held_over(ancestors(code, known) for code in areas)


def codes_of(content: Content) -> tuple[str, ...]:
    """The areas a content speaks of, those that are taken out too."""
    return tuple(area.code for area in content.areas)


def find_user(work: UnitOfWork, name: str) -> User:
    """The active user of this name; raises NotFound."""
    return _active(work.users.get(name), name)


def hold_user(work: UnitOfWork, name: str) -> User:
    """`find_user` for whoever changes the account: nobody else does until the end."""
    return _active(work.users.held(name), name)


def _active(user: User | None, name: str) -> User:
    if user is None or not user.active:
        raise NotFound("people.unknown-user", user=name)
    return user
