"""What carries a bulletin out, and what it is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from geowarn.domain.area import Area
from geowarn.domain.assessment import Assessment
from geowarn.domain.bulletin import Bulletin
from geowarn.domain.dispatch import Outcome
from geowarn.domain.level import Level
from geowarn.domain.package import Artefact
from geowarn.domain.warning import Content
from geowarn.ports.site import SiteState
from geowarn.ports.surroundings import Clock, Templates


@dataclass(frozen=True, slots=True)
class Limits:
    """What a channel can carry, as data."""

    languages: tuple[str, ...]
    longest: int | None  # characters or code units per message, None: no limit
    repeat_is_safe: bool  # sending the same message twice does no harm (files, feeds)
    batch: int  # targets of one shard, at most 500
    concurrency: int  # parallel sends of one shard
    exercises: bool = False  # has test settings of its own, and refuses an exercise on its way anywhere else
    carries: tuple[str, ...] = ()  # frozen files of other channels that it carries too, by the beginning of their path


@dataclass(frozen=True, slots=True)
class BulletinDraft:
    """Everything a channel may render from; late fields are markers (`geowarn.domain.package.marker`).

    `areas` holds every area of the installation with its geometry; `original` is set for a prepared
    retraction and stands for the very message under review; `earlier` are the released bulletins of the same
    warning in order of release. `facts` are the installation's effective settings by section.
    """

    content: Content
    areas: Mapping[str, Area]
    assessments: Mapping[str, Assessment]
    earlier: tuple[Bulletin, ...]
    facts: Mapping[str, Mapping[str, Any]]
    publish_from: Level
    original: Content | None = None
    prepared_at: datetime | None = None  # when it was rendered; None: the onset is taken to be near


@dataclass(frozen=True, slots=True)
class Measure:
    """What the officer sees beside a text: length, parts, seconds."""

    path: str
    units: int
    limit: int | None = None
    parts: int | None = None
    encoding: str | None = None
    seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """One bulletin prepared for one channel; `problems` are catalogue keys with facts, and block release."""

    channel: str
    artefacts: tuple[Artefact, ...]
    measures: tuple[Measure, ...] = ()
    problems: tuple[tuple[str, Mapping[str, Any]], ...] = ()


@dataclass(frozen=True, slots=True)
class Target:
    """Whom one dispatch goes to; `address` (a number, a mail address, a name, "public") is never logged."""

    dispatch_id: str
    key: str
    address: str = field(repr=False)
    not_after: datetime
    leave: str = field(default="", repr=False)  # what ends a subscription without logging in; empty: it has no end


@dataclass(frozen=True, slots=True)
class Delivery:
    """The frozen bytes one target gets: artefacts of the bulletin that belong to the channel, and the one meant."""

    bulletin: Bulletin
    artefacts: Mapping[str, bytes]
    variant: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the far end answered."""

    outcome: Outcome
    provider_id: str | None = None
    detail: str = ""


class Channel(Protocol):
    """Carries a bulletin out (`geowarn.channels`). No retry, logging or storage inside."""

    name: str
    limits: Limits

    def prepare(self, draft: BulletinDraft) -> Message:
        """Render, measure and check every text of this channel; pure, run before anyone may sign."""
        ...

    def send(self, delivery: Delivery, target: Target) -> Receipt:
        """Carry the frozen bytes to one target; raises TemporaryFailure, PermanentFailure or OutcomeUnknown.

        An exercise's bulletin is refused (PermanentFailure) unless the channel's own settings for this target are
        test settings; a channel without `limits.exercises` refuses every one.
        """
        ...


class Reconciling(Protocol):
    """A channel whose far end can be asked what became of a message."""

    def look_up(self, delivery: Delivery, target: Target, since: datetime) -> Receipt | None:
        """The receipt of a message sent since then, None when the far end never had it; raises SendFailure."""
        ...


class Sealing(Protocol):
    """A channel whose final bytes carry a signature of their own, made when the late fields are known."""

    def seal(self, artefact: Artefact) -> Artefact:
        """The artefact with its signature added and nothing else changed; raises Refused when it cannot be signed.

        `geowarn.domain.package.unsealed` takes the signature out again.
        """
        ...


class Rebuilding(Protocol):
    """A channel whose tree can be made again from the store, whatever became of its files."""

    def rebuild(self, tell: Callable[[int, int], None]) -> None:
        """Draw and compare every file again, each replaced whole, and bring the tree to the present state.

        `tell` hears (done, of). One that was broken off goes on where it stopped; releases and readers go on meanwhile.
        """
        ...


@runtime_checkable
class Publisher(Protocol):
    """A channel that shows the whole state and can be told to show it again."""

    def publish(self, state: SiteState) -> Sequence[str] | None:
        """Write the tree for `state` unless a newer sequence is already there.

        Returns what of it could not be drawn and is left out, each with its reason; the rest stands without it.
        """
        ...

    def unseen(self) -> tuple[str, ...]:
        """What the public address shows otherwise than written, a part of the whole at each call; empty: nothing."""
        ...


class StateReader(Protocol):
    """Reads the state to publish."""

    def __call__(self, showing: str = "") -> SiteState:
        """The state now; `showing`: one that shows this bulletin will do, though another channel has just read it."""
        ...


@dataclass(frozen=True, slots=True)
class ChannelContext:
    """What a channel is built with; `settings` are the effective settings by section, secrets included."""

    settings: Mapping[str, Mapping[str, Any]]
    data_dir: Path
    templates: Templates
    clock: Clock
    site_state: StateReader
