"""Who may do what: roles, shifts and signatures."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Role(StrEnum):
    """What a person is entrusted with."""

    DUTY_OFFICER = "duty-officer"  # 值班员
    LEADER = "leader"  # 分管领导
    CHIEF = "chief"  # 主要领导
    OBSERVATORY = "observatory"  # 气象台会商员
    DISCLOSURE = "disclosure"
    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"


@dataclass(frozen=True, slots=True)
class User:
    """A person with an account; `name` is the log-in name, `display_*` what pages show."""

    name: str
    display_zh: str
    display_en: str
    roles: frozenset[Role]
    password_hash: str = ""  # argon2; empty: cannot log in
    active: bool = True
    phone_sealed: bytes | None = None  # how the person is reached on duty; None: no number
    phone_masked: str = ""
    # Where a role is held: area codes, children included; a role that is not here is held everywhere.
    areas: Mapping[Role, frozenset[str]] = field(default_factory=dict, hash=False)

    def held_over(self, lines: Iterable[Collection[str]]) -> frozenset[Role]:
        """The roles held over every one of these areas, each given as its code and those of its parents.

        Without areas: the roles held everywhere.
        """
        given = tuple(lines)
        limits = {role: self.areas.get(role) for role in self.roles}
        return frozenset(
            role
            for role, codes in limits.items()
            if codes is None or (given and all(not codes.isdisjoint(line) for line in given))
        )

    def display(self, language: str) -> str:
        """The name pages show in `zh` or `en`."""
        return self.display_zh if language == "zh" else self.display_en


@dataclass(frozen=True, slots=True)
class Shift:
    """Who is on duty, half-open [start, end) in UTC; the deputy may stand in, the leader signs."""

    id: str
    officer: str
    deputy: str | None
    start: datetime
    end: datetime
    leader: str | None = None  # who of the leaders is on call; None: whoever holds the role
    uid: str | None = None  # under which another calendar knows it

    def covers(self, moment: datetime) -> bool:
        """Whether the shift is on at `moment`."""
        return self.start <= moment < self.end


@dataclass(frozen=True, slots=True)
class SignOff:
    """One signature on one package; a later edit voids it (house rule 2)."""

    id: str
    proposal_id: str
    package_sha256: str
    user: str
    role: Role
    at: datetime
    via: str  # "console" or "command line"
    origin: str  # network address or OS user
    second_factor: str  # "none", "totp" or "recovery"
    voided_at: datetime | None = None
