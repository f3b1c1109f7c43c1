"""Who is rung when, worked out from a frozen chain, the answers and the time: never from when somebody looked.

One pass rings the posts of a chain one after the other. An answer stops the ringing until the decision is due; when
that has passed without one, the next post is rung. A pass that is over is followed by the next one, so that an open
task is always ringing or in somebody's hands.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from geowarn.domain.clock import OnSilence
from geowarn.domain.level import Level
from geowarn.domain.warning import Act, Content, Series


@dataclass(frozen=True, slots=True)
class Post:
    """One place of the chain with the people who held it when the pass began."""

    name: str
    people: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Skipped:
    """A place or a person that is not rung, and why: "empty", "no-number", "inactive", "earlier"."""

    post: str
    person: str
    why: str


@dataclass(frozen=True, slots=True)
class Pass:
    """One way through the chain for one step of one task; `posts` is never empty and never changes."""

    id: str
    task_id: str
    kind: str
    subject: str
    step: str
    number: int  # 1 for the first way through
    level: Level
    posts: tuple[Post, ...]
    skipped: tuple[Skipped, ...]
    shift: str | None  # on which the chain was drawn up
    started_at: datetime
    window: timedelta  # from one ring to the next
    decide_by: datetime
    on_silence: OnSilence
    ended_at: datetime | None = None
    outcome: str = ""  # "done", "raised", "handed-over", "joined", "unanswered", "closed", "released-first"

    def people(self) -> tuple[str, ...]:
        """Everybody in the chain, in its order."""
        return tuple(person for post in self.posts for person in post.people)


@dataclass(frozen=True, slots=True)
class Answer:
    """Somebody has taken it in hand."""

    person: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Ring:
    """A post that is rung; `number` counts from 0 within the pass."""

    number: int
    post: Post
    due: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a pass stands: what has been due, who has it, and what comes when."""

    rings: tuple[Ring, ...]
    holder: str | None  # who has answered and still has time; None: it rings
    until: datetime  # when it goes on if nothing is decided
    following: Post | None  # who is rung then; None: the chain is at its end
    over: bool  # the last post has had its time

    @property
    def ringing(self) -> Post:
        """The post rung last."""
        return self.rings[-1].post


def walk(one: Pass, answers: Iterable[Answer], now: datetime) -> Standing:
    """Go through the chain as far as the time has come; the same at `now` however often it was asked before."""
    heard = sorted((a for a in answers if one.started_at <= a.at <= now), key=lambda a: (a.at, a.person))
    rings: list[Ring] = []
    begin, holder = one.started_at, None
    for number, post in enumerate(one.posts):
        rings.append(Ring(number, post, begin))
        end, holder, heard = _wait(one, begin, heard)
        begin = end
        if end > now:
            break
    rung = len(rings)
    following = one.posts[rung] if rung < len(one.posts) else None
    over = begin <= now
    return Standing(tuple(rings), None if over else holder, begin, following, over)


def _wait(one: Pass, begin: datetime, heard: list[Answer]) -> tuple[datetime, str | None, list[Answer]]:
    """Until when a post has time, who holds it then, and the answers that came later.

    The first answer holds until the decision is due, and at least as long as a post rings. Somebody else who takes it
    over has at least as long again; nobody holds it twice without another ring.
    """
    end, holder, counted = begin + one.window, None, set[str]()
    left = list(heard)
    while left and left[0].at < end:
        answer = left.pop(0)
        if answer.person in counted:
            continue
        counted.add(answer.person)
        least = answer.at + one.window
        end = max(end, least, one.decide_by) if holder is None else max(end, least)
        holder = answer.person
    return end, holder, left


def next_begin(over_at: datetime, length: timedelta, now: datetime) -> tuple[int, datetime]:
    """How many passes of this length after `over_at` are past, and when the present one began.

    Passes that nobody rang because nothing ran are not made up for; the present one begins when it would have.
    """
    missed = max(0, (now - over_at) // length)
    return missed, over_at + missed * length


def release_first_bars(
    content: Content, began: OnSilence, present: OnSilence, returned: bool, one_person_only: bool, not_rung: bool
) -> tuple[str, ...]:
    """What forbids releasing first and reviewing after; empty when nothing does.

    Both rules must allow it: the one that the ringing `began` with, and the `present` one for this content's level.
    Only a rise may go out so: lowering, lifting and withdrawing are people's acts (house rule 1). What one person
    wrote or changed and nobody else has signed never goes out by silence (house rule 2).
    """
    lowers = any(area.level < area.before for area in content.areas)
    found = {
        "policy": {began, present} != {OnSilence.RELEASE_FIRST},
        "series": content.series is not Series.REAL,
        "lowers": lowers or content.act not in (Act.ISSUE, Act.UPDATE, Act.EXTEND),
        "returned": returned,
        "one-person": one_person_only,
        "not-rung": not_rung,
    }
    return tuple(name for name, bars in found.items() if bars)
