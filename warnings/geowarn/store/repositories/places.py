"""Areas and the people in them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from hashlib import blake2b
from typing import Any

from sqlalchemy import Text, func, null, select, type_coerce, update

from geowarn.domain.area import Area, AreaKind, Susceptibility
from geowarn.domain.outline import folded
from geowarn.domain.recipient import Recipient
from geowarn.store.repositories.base import AnyRow, Repository, batches, values_of
from geowarn.store.tables import area, recipient

_COLUMNS = tuple(area.c.keys())
# Outlines as they come from the database, in the order in which an Area takes its fields.
_PLAIN = [null().label("geometry") if name == "geometry" else area.c[name] for name in Area.__match_args__]
_WHOLE = [type_coerce(area.c[name], Text) if name == "geometry" else area.c[name] for name in Area.__match_args__]
_KIND, _CLASS, _GEOMETRY = (Area.__match_args__.index(name) for name in ("kind", "susceptibility", "geometry"))
_MOST_OUTLINES = 50_000


class _Outlines:
    """Outlines read before, by the digest of their text: a city's change once a year and are read at every release."""

    def __init__(self) -> None:
        self._known: dict[bytes, Mapping[str, Any]] = {}

    def of(self, text: str) -> Mapping[str, Any]:
        """The outline that this text is."""
        digest = blake2b(text.encode(), digest_size=16).digest()
        found = self._known.get(digest)
        if found is None:
            if len(self._known) >= _MOST_OUTLINES:
                self._known = {}
            found = self._known[digest] = folded(json.loads(text))
        return found


_OUTLINES = _Outlines()


def _area(row: AnyRow) -> Area:
    values = list(row)
    values[_KIND], values[_CLASS] = AreaKind(values[_KIND]), Susceptibility(values[_CLASS])
    values[_GEOMETRY] = values[_GEOMETRY] and _OUTLINES.of(values[_GEOMETRY])
    return Area(*values)


def _row(given: Area) -> dict[str, Any]:
    values = {name: getattr(given, name) for name in _COLUMNS}
    kinds = {"kind": given.kind.value, "susceptibility": given.susceptibility.value}
    return {**values, **kinds, "geometry": given.geometry and dict(given.geometry)}


class SqlAreas(Repository):
    """`ports.Areas`."""

    def all(self) -> tuple[Area, ...]:
        """Every area, ordered by code."""
        return tuple(sorted((_area(row) for row in self._rows(select(*_WHOLE))), key=lambda found: found.code))

    def plain(self) -> tuple[Area, ...]:
        """Every area without its geometry, ordered by code."""
        found = (_area(row) for row in self._rows(select(*_PLAIN)))
        return tuple(sorted(found, key=lambda one: one.code))

    def get(self, code: str) -> Area | None:
        """One area, or None."""
        row = self._row(select(*_WHOLE).where(area.c.code == code))
        return _area(row) if row else None

    def save_all(self, areas: Iterable[Area]) -> None:
        """Insert or replace by code; parents are checked at commit, so any order will do."""
        self._put(area, (_row(given) for given in areas))


class SqlRecipients(Repository):
    """`ports.Recipients`."""

    def add_all(self, recipients: Iterable[Recipient]) -> int:
        """Insert or replace by (phone_key, area); returns how many are new.

        A registration already there keeps its id, its first day and its opt-out: an import never undoes a STOP.
        """
        statement = self._insert(recipient)
        changing = ("phone_sealed", "phone_masked", "language", "role", "consent")
        upsert = statement.on_conflict_do_update(
            index_elements=["phone_key", "area"], set_={name: statement.excluded[name] for name in changing}
        )
        before = self._count()
        for batch in batches(recipients):
            self._run(upsert, [values_of(given) for given in batch])
        return self._count() - before

    def _count(self) -> int:
        return int(self._connection.scalar(select(func.count()).select_from(recipient)) or 0)

    def all(self) -> tuple[Recipient, ...]:
        """Every registration, opted-out ones included."""
        return tuple(Recipient(**row._mapping) for row in self._rows(select(recipient).order_by(recipient.c.id)))

    def by_phone_key(self, phone_key: str) -> tuple[Recipient, ...]:
        """Every registration of one number."""
        chosen = select(recipient).where(recipient.c.phone_key == phone_key).order_by(recipient.c.id)
        return tuple(Recipient(**row._mapping) for row in self._rows(chosen))

    def opt_out(self, phone_key: str, at: datetime) -> int:
        """Stop every registration of this number; returns how many were still on."""
        standing = (recipient.c.phone_key == phone_key) & recipient.c.opted_out_at.is_(None)
        stopped = update(recipient).where(standing).values(opted_out_at=at).returning(recipient.c.id)
        return len(self._rows(stopped))

    def counts(self) -> dict[tuple[str, str, str], int]:
        """(area, language, role) -> how many have not opted out."""
        group = (recipient.c.area, recipient.c.language, recipient.c.role)
        counted = (
            select(*group, func.count().label("people")).where(recipient.c.opted_out_at.is_(None)).group_by(*group)
        )
        return {(r.area, r.language, r.role): r.people for r in self._rows(counted.order_by(*group))}
