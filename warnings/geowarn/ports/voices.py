"""What the store keeps of what people say."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from geowarn.domain.voice import Photo, Voice, VoiceAct, VoiceKind, VoiceState
from geowarn.domain.voice_limits import Load


@dataclass(frozen=True, slots=True)
class VoiceChoice:
    """Which voices a list shows; empty narrows nothing. At most `most` of them."""

    states: frozenset[VoiceState] = frozenset()
    kind: VoiceKind | None = None
    areas: frozenset[str] = frozenset()
    answer_id: str = ""
    due_by: datetime | None = None  # only those whose time was over then
    numbers: frozenset[str] = frozenset()
    oldest: bool = False  # begins with the oldest instead
    most: int = 200


class Voices(Protocol):
    """Reports with their photos and what was done with them."""

    def save(self, voice: Voice) -> None:
        """Insert or replace by id."""
        ...

    def get(self, voice_id: str) -> Voice | None:
        """One by its id; a unit of work that writes keeps other writers off it until the end."""
        ...

    def by_number(self, number: str) -> Voice | None:
        """One by its receipt number; locks as `get` does."""
        ...

    def list(self, choice: VoiceChoice) -> tuple[Voice, ...]:
        """The newest first, unless `oldest` is asked for."""
        ...

    def hold(self, choice: VoiceChoice) -> tuple[Voice, ...]:
        """Those chosen by their ids' order; a unit of work that writes keeps other writers off them until the end."""
        ...

    def count(self, choice: VoiceChoice) -> int:
        """How many are chosen, without `most`."""
        ...

    def standing_like(self, fold_key: str, since: datetime) -> Voice | None:
        """The oldest still open that says the same and came after `since`."""
        ...

    def repeats(self, voice_id: str) -> tuple[Voice, ...]:
        """Those folded into this one, oldest first."""
        ...

    def load(self, from_key: str, since: datetime) -> Load:
        """How much came after `since`, and how much is kept."""
        ...

    def room(self) -> tuple[int, int]:
        """How much is kept: with how many something is still to be done, and the bytes of all photos."""
        ...

    def counts(self) -> dict[str, int]:
        """How many there are in each state."""
        ...

    def past(self, before: datetime, most: int) -> tuple[Voice, ...]:
        """Those not erased with which nothing is to be done any more, and nothing was since `before`; oldest first."""
        ...

    def forget_addresses(self, before: datetime) -> int:
        """Remove the hashes of addresses of what came before; returns how many there were."""
        ...

    def put_photo(self, photo: Photo) -> None: ...

    def photo(self, voice_id: str) -> Photo | None: ...

    def add_act(self, act: VoiceAct) -> None: ...

    def acts(self, voice_id: str) -> tuple[VoiceAct, ...]:
        """In order of time."""
        ...

    def wipe(self, voice_id: str) -> None:
        """Delete its photo and every note, for good."""
        ...
