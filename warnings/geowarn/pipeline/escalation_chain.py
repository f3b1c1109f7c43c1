"""Who is rung for a step: the places of the rule's chain, with the people who hold them as it begins."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from geowarn.domain.clock import AFTER_REVIEW, DEPUTY, EVERYBODY, NOBODY, STAND_IN, ClockRule, ClockRules, EndOfChain
from geowarn.domain.escalation import Post, Skipped
from geowarn.domain.people import Role, Shift, User
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


def chain_of(work: UnitOfWork, rules: ClockRules, rule: ClockRule, step: str, now: datetime) -> Chain:
    """The chain of a first way through; empty places and people nobody can reach are left out at once."""
    users = {user.name: user for user in work.users.all()}
    shift = current_shift(work, now)
    posts: list[Post] = []
    skipped: list[Skipped] = []
    taken: set[str] = set()
    for place in _places(rule, step):
        names = list(_holders(place, rules, step, users, shift))
        whys = {name: _unfit(users.get(name), shift, name in taken) for name in names}
        skipped += [Skipped(place, name, why) for name, why in whys.items() if why]
        people = tuple(name for name in names if not whys[name])
        taken.update(people)
        if people:
            posts.append(Post(place, people))
        elif not names:
            skipped.append(Skipped(place, "", "empty"))
    return Chain(tuple(posts) or (_somebody(users),), tuple(skipped), shift.id if shift else None)


def chain_again(work: UnitOfWork, rules: ClockRules, rule: ClockRule, step: str, now: datetime) -> Chain:
    """The chain of a later way through, drawn up anew: from the first again, or everybody at once.

    Everybody includes those without a number: they may be standing at the console.
    """
    first = chain_of(work, rules, rule, step, now)
    if rule.end_of_chain is EndOfChain.ROUND:
        return first
    unreached = (skipped.person for skipped in first.skipped if skipped.why == "no-number")
    everybody = dict.fromkeys((*first.people(), *unreached))
    return Chain((Post(EVERYBODY, tuple(everybody)),), first.skipped, first.shift)


def _places(rule: ClockRule, step: str) -> tuple[str, ...]:
    """The asked role first, then who stands in, then upwards from there, then the rest."""
    role = role_of(step)
    if role is None:
        return rule.chain
    name, chain = role.value, rule.chain
    at = chain.index(name) + 1 if name in chain else 0
    asked = (name,) if role is Role.DUTY_OFFICER else (name, STAND_IN)
    return (*asked, *chain[at:], *chain[: max(0, at - 1)])


def _holders(place: str, rules: ClockRules, step: str, users: dict[str, User], shift: Shift | None) -> Iterator[str]:
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
        # Only who holds the role everywhere can sign whatever the warning speaks of.
        yield from (name for name, user in users.items() if Role(place) in user.held_over(()) and user.active)


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
