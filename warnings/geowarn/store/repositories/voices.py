"""What people say, and the answers with their drafts, signatures and frozen publications."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, func, select, update

from geowarn.domain.voice import OPEN, Photo, Voice, VoiceAct, VoiceKind, VoiceState
from geowarn.domain.voice_limits import Load
from geowarn.ports import VoiceChoice
from geowarn.store.repositories.base import AnyRow, Repository, values_of
from geowarn.store.repositories.incidents import SqlIncidents
from geowarn.store.tables import (
    answers,
    voice,
    voice_act,
    voice_photo,
)

_OPEN = tuple(state.value for state in OPEN)


class SqlAnswers(SqlIncidents):
    """`ports.Incidents` for answers: the same flow on tables of its own."""

    tables = answers


def _voice(row: AnyRow) -> Voice:
    values = row._asdict()
    return Voice(**values | {"kind": VoiceKind(values["kind"]), "state": VoiceState(values["state"])})


def _wheres(choice: VoiceChoice) -> Iterator[ColumnElement[bool]]:
    if choice.states:
        yield voice.c.state.in_(sorted(state.value for state in choice.states))
    if choice.kind is not None:
        yield voice.c.kind == choice.kind.value
    if choice.areas:
        yield voice.c.area.in_(sorted(choice.areas))
    if choice.answer_id:
        yield voice.c.answer_id == choice.answer_id
    if choice.due_by is not None:
        yield voice.c.due_at <= choice.due_by
    if choice.numbers:
        yield voice.c.number.in_(sorted(choice.numbers))


class SqlVoices(Repository):
    """`ports.Voices`."""

    def save(self, given: Voice) -> None:
        """Insert or replace by id."""
        self._put(voice, [values_of(given) | {"kind": given.kind.value, "state": given.state.value}])

    def get(self, voice_id: str) -> Voice | None:
        """One by its id, locked for whoever writes."""
        return self._one(select(voice).where(voice.c.id == voice_id))

    def by_number(self, number: str) -> Voice | None:
        """One by its receipt number, locked for whoever writes."""
        return self._one(select(voice).where(voice.c.number == number))

    def _one(self, chosen: Select[Any]) -> Voice | None:
        row = self._row(self._for_change(chosen))
        return _voice(row) if row else None

    def list(self, choice: VoiceChoice) -> tuple[Voice, ...]:
        """The newest first, unless the oldest are asked for."""
        order = (
            (voice.c.received_at, voice.c.number)
            if choice.oldest
            else (voice.c.received_at.desc(), voice.c.number.desc())
        )
        chosen = select(voice).where(*_wheres(choice)).order_by(*order).limit(choice.most)
        return tuple(_voice(row) for row in self._rows(chosen))

    def hold(self, choice: VoiceChoice) -> tuple[Voice, ...]:
        """Those chosen by their ids' order, locked for whoever writes."""
        chosen = select(voice).where(*_wheres(choice)).order_by(voice.c.id).limit(choice.most)
        return tuple(_voice(row) for row in self._rows(self._for_change(chosen)))

    def count(self, choice: VoiceChoice) -> int:
        """How many are chosen."""
        return int(self._connection.scalar(select(func.count()).select_from(voice).where(*_wheres(choice))) or 0)

    def standing_like(self, fold_key: str, since: datetime) -> Voice | None:
        """The oldest still open that says the same and came after `since`."""
        same = (voice.c.fold_key == fold_key) & (voice.c.received_at > since) & voice.c.state.in_(_OPEN)
        row = self._row(select(voice).where(same).order_by(voice.c.received_at, voice.c.number).limit(1))
        return _voice(row) if row else None

    def repeats(self, voice_id: str) -> tuple[Voice, ...]:
        """Those folded into this one, oldest first."""
        found = select(voice).where(voice.c.folded_into == voice_id)
        return tuple(_voice(row) for row in self._rows(found.order_by(voice.c.received_at, voice.c.number)))

    def load(self, from_key: str, since: datetime) -> Load:
        """How much came after `since`."""
        came = voice.c.received_at > since
        counted: Select[Any] = select(func.count()).select_from(voice)
        wheres = (came & (voice.c.from_key == from_key), came, came & voice.c.photo)
        found = [int(self._connection.scalar(counted.where(where)) or 0) for where in wheres]
        return Load(found[0], found[1], found[2], *self.room())

    def room(self) -> tuple[int, int]:
        """With how many something is still to be done, and the bytes of all photos."""
        standing = select(func.count()).where(voice.c.state.in_((*_OPEN, VoiceState.FOLDED.value)))
        stored = select(func.sum(func.length(voice_photo.c.sealed)))
        return int(self._connection.scalar(standing) or 0), int(self._connection.scalar(stored) or 0)

    def counts(self) -> dict[str, int]:
        """How many there are in each state."""
        counted = select(voice.c.state, func.count().label("many")).group_by(voice.c.state)
        return {str(row.state): int(row.many) for row in self._rows(counted)}

    def past(self, before: datetime, most: int) -> tuple[Voice, ...]:
        """Those not erased with which nothing is to be done any more, and nothing was since `before`; oldest first."""
        over = voice.c.state.not_in(_OPEN) & voice.c.erased_at.is_(None)
        still = over & (func.coalesce(voice.c.changed_at, voice.c.received_at) < before)
        return tuple(
            _voice(row) for row in self._rows(select(voice).where(still).order_by(voice.c.received_at).limit(most))
        )

    def forget_addresses(self, before: datetime) -> int:
        """Remove the hashes of addresses of what came before; returns how many there were."""
        old = (voice.c.received_at < before) & (voice.c.from_key != "")
        return len(self._rows(update(voice).where(old).values(from_key="").returning(voice.c.id)))

    def put_photo(self, photo: Photo) -> None:
        """Insert or replace the photo of a voice."""
        self._put(voice_photo, [values_of(photo)])

    def photo(self, voice_id: str) -> Photo | None:
        """The photo of a voice, or None."""
        row = self._row(select(voice_photo).where(voice_photo.c.voice_id == voice_id))
        return Photo(**row._mapping) if row else None

    def add_act(self, act: VoiceAct) -> None:
        """Add one."""
        self._add(voice_act, [values_of(act)])

    def acts(self, voice_id: str) -> tuple[VoiceAct, ...]:
        """In order of time."""
        found = select(voice_act).where(voice_act.c.voice_id == voice_id).order_by(voice_act.c.at, voice_act.c.id)
        return tuple(VoiceAct(**row._mapping) for row in self._rows(found))

    def wipe(self, voice_id: str) -> None:
        """Delete its photo and every note, for good."""
        self._run(delete(voice_photo).where(voice_photo.c.voice_id == voice_id))
        self._run(update(voice_act).where(voice_act.c.voice_id == voice_id).values(note=""))
