"""Frozen bulletins with their bytes, and the numbers they take."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from sqlalchemy import select

from geowarn.domain.bulletin import Bulletin
from geowarn.domain.errors import NotFound, Refused
from geowarn.domain.package import Artefact
from geowarn.domain.warning import Series, content_from_json
from geowarn.store.repositories.base import AnyRow, Repository, batches
from geowarn.store.repositories.review import store_blobs
from geowarn.store.tables import blob, bulletin, bulletin_artefact, counter

_PLAIN = (
    "id",
    "warning_id",
    "proposal_id",
    "year",
    "serial",
    "number",
    "slug",
    "released_at",
    "package_sha256",
)


class SqlCounters(Repository):
    """`ports.Counters`."""

    def next(self, name: str) -> int:
        """The next number of this counter, starting at 1, inside this transaction.

        The row stays locked until the end, so a number that is rolled back is taken by the next one: no gaps.
        """
        first = self._insert(counter).values(name=name, value=1)
        following = first.on_conflict_do_update(index_elements=["name"], set_={"value": counter.c.value + 1})
        return int(self._rows(following.returning(counter.c.value))[0].value)


class SqlBulletins(Repository):
    """`ports.Bulletins`."""

    def next_serial(self, series: Series, year: int) -> int:
        """Take the next gapless number inside this transaction; concurrent releases wait."""
        return SqlCounters(self._connection, self._writing).next(f"bulletin.{series.value}.{year}")

    def hold_order(self) -> None:
        """Let releases wait for this transaction's end; the number taken for it stays unused, the order has gaps."""
        self._next_order()

    def _next_order(self) -> int:
        return SqlCounters(self._connection, self._writing).next("bulletin.order")

    def add(self, given: Bulletin, artefacts: Iterable[Artefact]) -> None:
        """Store the frozen bulletin with its bytes; a row once written refuses UPDATE and DELETE."""
        files = tuple(artefacts)
        if dict(given.artefacts) != {artefact.path: artefact.sha256 for artefact in files}:
            raise Refused("store.artefacts-differ", slug=given.slug)
        order = self._next_order()
        row = {name: getattr(given, name) for name in _PLAIN} | {
            "release_order": order,
            "act": given.act.value,
            "series": given.series.value,
            "content": given.content.as_json(),
            "late": dict(given.late),
        }
        self._add(bulletin, [row])
        store_blobs(self, files)
        rows = [
            {"bulletin_id": given.id, "path": a.path, "media_type": a.media_type, "sha256": a.sha256} for a in files
        ]
        self._add(bulletin_artefact, rows)

    def get(self, bulletin_id: str) -> Bulletin | None:
        """One bulletin, or None."""
        row = self._row(select(bulletin).where(bulletin.c.id == bulletin_id))
        return self._bulletins([row])[0] if row else None

    def by_slug(self, slug: str) -> Bulletin | None:
        """The bulletin with this slug, or None."""
        row = self._row(select(bulletin).where(bulletin.c.slug == slug))
        return self._bulletins([row])[0] if row else None

    def of_warning(self, warning_id: str) -> tuple[Bulletin, ...]:
        """In order of release."""
        found = select(bulletin).where(bulletin.c.warning_id == warning_id).order_by(bulletin.c.release_order)
        return self._bulletins(self._rows(found))

    def all(self) -> tuple[Bulletin, ...]:
        """Newest first; what is wanted often asks for less."""
        return self._bulletins(self._rows(select(bulletin).order_by(bulletin.c.release_order.desc())))

    def by_number(self, number: str) -> Bulletin | None:
        """The newest bulletin that bears this number, or None."""
        found = select(bulletin).where(bulletin.c.number == number).order_by(bulletin.c.release_order.desc())
        row = self._row(found.limit(1))
        return self._bulletins([row])[0] if row else None

    def after(self, bulletin_id: str | None) -> tuple[Bulletin, ...]:
        """Those released after this one (None: every one), oldest first; raises NotFound where it is not there."""
        found = select(bulletin).order_by(bulletin.c.release_order)
        if bulletin_id is not None:
            last = self._row(select(bulletin.c.release_order).where(bulletin.c.id == bulletin_id))
            if last is None:
                raise NotFound("store.not-found", kind="bulletin", id=bulletin_id)
            found = found.where(bulletin.c.release_order > last.release_order)
        return self._bulletins(self._rows(found))

    def since(self, moment: datetime) -> tuple[Bulletin, ...]:
        """Released at or after `moment`, newest first."""
        found = select(bulletin).where(bulletin.c.released_at >= moment).order_by(bulletin.c.release_order.desc())
        return self._bulletins(self._rows(found))

    def newest(self, count: int, series: Collection[Series] = tuple(Series)) -> tuple[Bulletin, ...]:
        """The newest of these series, at most so many, newest first."""
        found = select(bulletin).where(bulletin.c.series.in_([one.value for one in series]))
        return self._bulletins(self._rows(found.order_by(bulletin.c.release_order.desc()).limit(count)))

    def slugs(self, series: Collection[Series], holding: str = "") -> tuple[str, ...]:
        """The slugs of these series, newest first; `holding`: only bulletins with an artefact of this path."""
        found = select(bulletin.c.slug).where(bulletin.c.series.in_([one.value for one in series]))
        if holding:
            file = bulletin_artefact.c
            found = found.join(bulletin_artefact, file.bulletin_id == bulletin.c.id).where(file.path == holding)
        return tuple(row.slug for row in self._rows(found.order_by(bulletin.c.release_order.desc())))

    def warnings_in(self, series: Collection[Series]) -> frozenset[str]:
        """The warnings that have a bulletin of these series."""
        found = select(bulletin.c.warning_id).where(bulletin.c.series.in_([one.value for one in series])).distinct()
        return frozenset(row.warning_id for row in self._rows(found))

    def artefacts(self, bulletin_id: str) -> dict[str, bytes]:
        """Path to frozen bytes."""
        files = (
            select(bulletin_artefact.c.path, blob.c.body)
            .join(blob, blob.c.sha256 == bulletin_artefact.c.sha256)
            .where(bulletin_artefact.c.bulletin_id == bulletin_id)
        )
        return {path: bytes(body) for path, body in sorted((row.path, row.body) for row in self._rows(files))}

    def artefacts_at(self, path: str, bulletin_ids: Collection[str]) -> dict[str, bytes]:
        """Bulletin to the frozen bytes at `path`, of those among these that have it."""
        files = (
            select(bulletin_artefact.c.bulletin_id, blob.c.body)
            .join(blob, blob.c.sha256 == bulletin_artefact.c.sha256)
            .where(bulletin_artefact.c.path == path)
        )
        found: dict[str, bytes] = {}
        for batch in batches(bulletin_ids):
            rows = self._rows(files.where(bulletin_artefact.c.bulletin_id.in_(batch)))
            found |= {row.bulletin_id: bytes(row.body) for row in rows}
        return found

    def _bulletins(self, rows: Iterable[AnyRow]) -> tuple[Bulletin, ...]:
        return tuple(made for batch in batches(rows) for made in self._made(batch))

    def _made(self, rows: list[AnyRow]) -> Iterable[Bulletin]:
        held: dict[str, dict[str, str]] = {row.id: {} for row in rows}
        files = select(bulletin_artefact.c.bulletin_id, bulletin_artefact.c.path, bulletin_artefact.c.sha256)
        for file in self._rows(files.where(bulletin_artefact.c.bulletin_id.in_(held))):
            held[file.bulletin_id][file.path] = file.sha256
        return (_bulletin(row, held[row.id]) for row in rows)


def _bulletin(row: AnyRow, artefacts: Mapping[str, str]) -> Bulletin:
    return Bulletin(
        **{name: row._mapping[name] for name in _PLAIN},
        series=Series(row.series),
        content=content_from_json(row.content),
        late=row.late,
        artefacts=dict(sorted(artefacts.items())),
    )
