"""Who is rung for a step: the places of the rule's chain, with the people who hold them as it begins."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from geowarn.domain.area import by_code
from geowarn.domain.clock import AFTER_REVIEW, DEPUTY, EVERYBODY, NOBODY, STAND_IN, ClockRule, ClockRules, EndOfChain
from geowarn.domain.escalation import Post, Skipped
from geowarn.domain.people import Role, Shift, User
from geowarn.pipeline.actor import roles_over
from geowarn.ports import UnitOfWork

# Who may take part in a decision: rung when no place of the chain is filled.
DECIDERS = frozenset({Role.DUTY_OFFICER, Role.LEADER, Role.CHIEF})


@dataclass(frozen=True, slots=True)
class Chain:
    """The filled places in order, and what was left out."""

    posts: tuple[Post, ...]
    skipped: tuple[Skipped, ...]
    shift: str | None

    def people(self) -> tuple[str, ...]:
        """Everybody in it, each once."""
        return tuple(person for post in self.posts for person in post.people)


def role_of(step: str) -> Role | None:
    """The role whose signature a step waits for; None for a step that anybody in charge may take."""
    name = step.removeprefix(f"{AFTER_REVIEW}:")
    return Role(name) if name in tuple(Role) else None


def current_shift(work: UnitOfWork, now: datetime) -> Shift | None:
    """The shift that is on; of two at once the one that began first."""
    return next(iter(work.shifts.at(now)), None)


def chain_of(
    work: UnitOfWork, rules: ClockRules, rule: ClockRule, step: str, now: datetime, areas: tuple[str, ...]
) -> Chain:
    """The chain of a first way through; empty places and people nobody can reach are left out at once.

    `areas`: codes that the decision is about; a role counts where it is held over all of them.
    """
    users = {user.name: user for user in work.users.all()}
    known = by_code(work.areas.plain()) if any(user.areas for user in users.values()) else {}
    here = {user.name: roles_over(user, known, areas) for user in users.values() if user.active}
    shift = current_shift(work, now)
    posts: list[Post] = []
    skipped: list[Skipped] = []
    taken: set[str] = set()
    for place in _places(rule, step):
        names = list(_holders(place, rules, step, here, shift))
        whys = {name: _unfit(users.get(name), shift, name in taken) for name in names}
        skipped += [Skipped(place, name, why) for name, why in whys.items() if why]
        people = tuple(name for name in names if not whys[name])
        taken.update(people)
        if people:
            posts.append(Post(place, people))
        elif not names:
            skipped.append(Skipped(place, "", "empty"))
    return Chain(tuple(posts) or (_somebody(users),), tuple(skipped), shift.id if shift else None)


def chain_again(
    work: UnitOfWork, rules: ClockRules, rule: ClockRule, step: str, now: datetime, areas: tuple[str, ...]
) -> Chain:
    """The chain of a later way through, drawn up anew: from the first again, or everybody at once.

    Everybody includes those without a number: they may be standing at the console.
    """
    first = chain_of(work, rules, rule, step, now, areas)
    if rule.end_of_chain is EndOfChain.ROUND:
        return first
    unreached = (skipped.person for skipped in first.skipped if skipped.why == "no-number")
    everybody = dict.fromkeys((*first.people(), *unreached))
    return Chain((Post(EVERYBODY, tuple(everybody)),), first.skipped, first.shift)


def with_checkers(chain: tuple[str, ...], roles: Iterable[Role]) -> tuple[str, ...]:
    """A chain with these roles behind those on shift, before it goes up to the leaders."""
    on_shift = (Role.DUTY_OFFICER.value, DEPUTY)
    at = max((chain.index(place) + 1 for place in on_shift if place in chain), default=0)
    return (*chain[:at], *(role.value for role in roles if role.value not in chain), *chain[at:])


def _places(rule: ClockRule, step: str) -> tuple[str, ...]:
    """The asked role first, then who stands in, then upwards from there, then the rest."""
    role = role_of(step)
    if role is None:
        return rule.chain
    name, chain = role.value, rule.chain
    at = chain.index(name) + 1 if name in chain else 0
    asked = (name,) if role is Role.DUTY_OFFICER else (name, STAND_IN)
    return (*asked, *chain[at:], *chain[: max(0, at - 1)])


def _holders(
    place: str, rules: ClockRules, step: str, here: Mapping[str, frozenset[Role]], shift: Shift | None
) -> Iterator[str]:
    if place == Role.DUTY_OFFICER.value:
        yield from (shift.officer,) if shift else ()
    elif place == DEPUTY:
        yield from (shift.deputy,) if shift and shift.deputy else ()
    elif place == STAND_IN:
        role = role_of(step)
        yield from rules.stand_in.get(role, ()) if role else ()
    elif place == Role.LEADER.value and shift and shift.leader:
        yield shift.leader
    else:
        yield from (name for name, roles in here.items() if Role(place) in roles)


def _unfit(user: User | None, shift: Shift | None, taken: bool) -> str:
    """Why somebody is not rung; the officer on shift sits at the desk, which rings by itself."""
    if taken:
        return "earlier"
    if user is None or not user.active:
        return "inactive"
    at_desk = shift is not None and user.name == shift.officer
    return "" if at_desk or user.phone_sealed is not None else "no-number"


def _somebody(users: dict[str, User]) -> Post:
    """With no place filled, everyone who may decide is rung, number or not: they may be at the console."""
    people = tuple(name for name, user in users.items() if user.active and DECIDERS & user.held_over(()))
    return Post(EVERYBODY if people else NOBODY, people)
