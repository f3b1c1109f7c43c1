"""After a disaster: a statement is drafted, checked for secrets, signed and published, version by version.

The same flow serves what else is said to the public after review: a `Book` names its parts, its shelf and its signers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from geowarn.domain.errors import NotFound, Refused
from geowarn.domain.incident import (
    PARTS,
    Draft,
    DraftStatus,
    Incident,
    Part,
    Publication,
    Statement,
    Text,
    check_statement,
    lacking,
    overdue,
)
from geowarn.domain.people import Role, SignOff
from geowarn.domain.period import to_utc
from geowarn.domain.policy import Policy
from geowarn.domain.task import Task
from geowarn.pipeline.actor import SYSTEM, Actor
from geowarn.pipeline.desk import Desk, find_warning
from geowarn.pipeline.propose import new_id
from geowarn.pipeline.signoff import on_shift
from geowarn.ports import Incidents, UnitOfWork

EDITORS = (Role.DUTY_OFFICER, Role.DISCLOSURE, Role.LEADER, Role.CHIEF)


@dataclass(frozen=True, slots=True)
class Book:
    """One kind of reviewed statement; `name` begins its ledger kinds and tasks, `needed` is the part it cannot lack."""

    name: str
    parts: tuple[str, ...]
    needed: str
    shelf: Callable[[UnitOfWork], Incidents]
    signers: Callable[[Policy], tuple[Role, ...]]
    told: bool = True  # whether the ledger has the words of a draft, and not its digest only

    @property
    def review(self) -> str:
        """The task of a draft under review."""
        return f"{self.name}-review"


INCIDENTS = Book("incident", PARTS, "situation", lambda work: work.incidents, lambda policy: policy.incident)


def statement_from_table(desk: Desk, work: UnitOfWork, table: Mapping[str, Any], book: Book = INCIDENTS) -> Statement:
    """The statement in a table of texts by part and language; raises Refused naming the field."""
    known = {"title", "note", "warnings", "closed", *book.parts}
    for name in table:
        if name not in known:
            raise Refused("incidents.unknown-part", part=name, parts=", ".join(sorted(known)))
    now = desk.clock.now()
    parts = {
        name: Part(_text(table[name], name), _promise(table[name], name, now)) for name in book.parts if name in table
    }
    return Statement(
        title=_text(table.get("title"), "title"),
        parts=parts,
        note=_text(table.get("note", {"zh": "", "en": ""}), "note"),
        warnings=tuple(find_warning(work, str(name)).id for name in table.get("warnings", ())),
        closed=bool(table.get("closed", False)),
        synthetic=desk.synthetic,
    )


def _text(value: Any, name: str) -> Text:
    if not isinstance(value, Mapping) or not all(isinstance(value.get(language), str) for language in ("zh", "en")):
        raise Refused("incidents.text", field=f"{name}.zh, {name}.en", longest=4000)
    return Text(value["zh"].strip(), value["en"].strip())


def _promise(value: Mapping[str, Any], name: str, now: datetime) -> datetime | None:
    """By when more will be said: a full hour, because pages promise hours."""
    given = value.get("next_update")
    if given in (None, ""):
        return None
    try:
        moment = to_utc(given if isinstance(given, datetime) else datetime.fromisoformat(str(given)))
    except ValueError:
        raise Refused("incidents.promise", field=f"{name}.next_update", value=str(given)[:40]) from None
    if moment.minute or moment.second:
        raise Refused("incidents.promise", field=f"{name}.next_update", value=str(given)[:40])
    if moment <= now:
        raise Refused("incidents.promise-past", field=f"{name}.next_update", value=str(given)[:40])
    return moment


def find_incident(work: UnitOfWork, name: str, book: Book = INCIDENTS) -> Incident:
    """The incident of this number; raises NotFound."""
    found = book.shelf(work).get(name)
    if found is None:
        raise NotFound("incidents.unknown", incident=name)
    return found


def open_draft(work: UnitOfWork, incident_id: str, book: Book = INCIDENTS) -> Draft:
    """The version under review; raises NotFound when there is none."""
    found = next((d for d in book.shelf(work).drafts(incident_id) if d.status is DraftStatus.OPEN), None)
    if found is None:
        raise NotFound("incidents.nothing-open", incident=incident_id)
    return found


def open_incident(desk: Desk, table: Mapping[str, Any], actor: Actor, book: Book = INCIDENTS) -> Draft:
    """Begin an incident with its first draft; the number is taken now and gapless."""
    actor.need(*EDITORS)
    now = desk.clock.now()
    with desk.store.begin() as work:
        statement = statement_from_table(desk, work, table, book)
        check_statement(statement, True, book.parts, book.needed)
        year = now.astimezone(desk.zone).year
        serial = work.counters.next(f"{book.name}.{year}")
        incident = Incident(f"{year}-{serial:02d}", year, serial, now, desk.synthetic)
        book.shelf(work).add(incident)
        work.ledger.append(now, actor.label, f"{book.name}.opened", incident.id, {"warnings": list(statement.warnings)})
        draft = _save(desk, work, incident.id, statement, actor, book)
        work.commit()
    return draft


def edit(desk: Desk, incident_id: str, table: Mapping[str, Any], actor: Actor, book: Book = INCIDENTS) -> Draft:
    """A new draft in place of the one under review, or of the next version; check and signatures begin anew."""
    actor.need(*EDITORS)
    with desk.store.begin() as work:
        incident = find_incident(work, incident_id, book)
        published = book.shelf(work).publications(incident.id)
        statement = statement_from_table(desk, work, table, book)
        check_statement(statement, not published, book.parts, book.needed)
        last = published[-1].statement if published else None
        if last is not None and replace(statement, note=last.note) == last:
            raise Refused("incidents.nothing-changed", incident=incident.id)
        draft = _save(desk, work, incident.id, statement, actor, book)
        work.commit()
    return draft


def _save(desk: Desk, work: UnitOfWork, incident_id: str, statement: Statement, actor: Actor, book: Book) -> Draft:
    now = desk.clock.now()
    for before in book.shelf(work).drafts(incident_id):
        if before.status is DraftStatus.OPEN:
            book.shelf(work).save_draft(replace(before, status=DraftStatus.SUPERSEDED))
    version = len(book.shelf(work).publications(incident_id)) + 1
    draft = Draft(new_id("i"), incident_id, version, statement, actor.user.name, now)
    book.shelf(work).save_draft(draft)
    facts: dict[str, Any] = {"draft": draft.id, "version": version, "digest": draft.digest}
    if book.told:
        facts["statement"] = statement.as_json()
    work.ledger.append(now, actor.label, f"{book.name}.drafted", incident_id, facts)
    work.tasks.open(Task(new_id("t"), book.review, incident_id, now, facts={"version": version}))
    return draft


def check_secrecy(
    desk: Desk, incident_id: str, actor: Actor, digest: str | None = None, book: Book = INCIDENTS
) -> Draft:
    """Record that the draft holds nothing secret (保密审查); never by the person who wrote it."""
    actor.need(Role.DISCLOSURE)
    now = desk.clock.now()
    with desk.store.begin() as work:
        draft = _seen(open_draft(work, find_incident(work, incident_id, book).id, book), digest)
        if draft.edited_by == actor.user.name:
            raise Refused("incidents.own-draft", user=actor.user.name)
        draft = replace(draft, checked_by=actor.user.name, checked_at=now)
        book.shelf(work).save_draft(draft)
        facts = {"draft": draft.id, "version": draft.version, "digest": draft.digest}
        work.ledger.append(now, actor.label, f"{book.name}.secrecy-checked", incident_id, facts)
        work.commit()
    return draft


def sign(desk: Desk, incident_id: str, actor: Actor, digest: str | None = None, book: Book = INCIDENTS) -> SignOff:
    """Sign the draft in one of the roles the policy asks for; only after the secrecy check."""
    now = desk.clock.now()
    with desk.store.begin() as work:
        draft = _seen(open_draft(work, find_incident(work, incident_id, book).id, book), digest)
        if draft.checked_by is None:
            raise Refused("incidents.unchecked", incident=incident_id, version=draft.version)
        role = _role(desk, work, draft, actor, book)
        signoff = SignOff(
            new_id("s"), draft.id, draft.digest, actor.user.name, role, now, actor.via, actor.origin, "none"
        )
        book.shelf(work).add_signoff(signoff)
        facts = {"draft": draft.id, "version": draft.version, "digest": draft.digest, "role": role.value}
        work.ledger.append(now, actor.label, f"{book.name}.signed", incident_id, facts)
        work.commit()
    return signoff


def _role(desk: Desk, work: UnitOfWork, draft: Draft, actor: Actor, book: Book) -> Role:
    needed = book.signers(desk.policy)
    signed = book.shelf(work).signoffs(draft.id)
    if any(s.user == actor.user.name for s in signed):
        raise Refused("signoff.already", user=actor.user.name, version=draft.version)
    taken = {s.role for s in signed}
    free = [role for role in needed if role in actor.roles_over(None, ()) and role not in taken]
    if not free:
        roles = ", ".join(role.value for role in needed)
        raise Refused("signoff.not-needed", user=actor.user.name, roles=roles)
    if free[0] is Role.DUTY_OFFICER and not on_shift(work, actor.user, desk.clock.now()):
        raise Refused("signoff.off-shift", user=actor.user.name)
    return free[0]


def _seen(draft: Draft, digest: str | None) -> Draft:
    """Refuse when the person read other words than those under review now."""
    if digest is not None and digest != draft.digest:
        raise Refused("incidents.moved-on", incident=draft.incident_id, version=draft.version)
    return draft


def publish(
    desk: Desk,
    incident_id: str,
    actor: Actor,
    book: Book = INCIDENTS,
    then: Callable[[UnitOfWork, Publication], None] = lambda _work, _made: None,
    first: Callable[[UnitOfWork], None] = lambda _work: None,
) -> Publication:
    """Freeze the signed draft as the next version and do what belongs to it; raises Refused naming what is missing.

    `first` takes the rows that `then` changes, before the ledger is taken.
    """
    actor.need(*EDITORS)
    now = desk.clock.now()
    with desk.store.begin() as work:
        draft = open_draft(work, find_incident(work, incident_id, book).id, book)
        signed = book.shelf(work).signoffs(draft.id)
        missing = lacking(book.signers(desk.policy), draft, signed)
        if missing or draft.checked_by is None:
            raise Refused("incidents.unsigned", incident=incident_id, version=draft.version, missing=", ".join(missing))
        roles = tuple((s.role.value, s.user) for s in signed)
        first(work)
        made = Publication(incident_id, draft.version, draft.statement, now, draft.checked_by, roles)
        book.shelf(work).publish(made)
        book.shelf(work).save_draft(replace(draft, status=DraftStatus.PUBLISHED))
        for kind in (book.review, f"{book.name}-overdue"):
            work.tasks.close(kind, incident_id, now)
        facts = {"version": made.version, "digest": draft.digest, "checked_by": made.checked_by, "signed_by": roles}
        work.ledger.append(now, actor.label, f"{book.name}.published", incident_id, facts)
        then(work, made)
        work.commit()
    return made


def watch_promises(desk: Desk) -> tuple[str, ...]:
    """Open a task for each incident that owes a promised update; returns their numbers."""
    now = desk.clock.now()
    late = []
    with desk.store.begin() as work:
        for incident in work.incidents.all():
            owed = overdue(work.incidents.publications(incident.id), now)
            if not owed:
                continue
            facts = {name: promised.isoformat() for name, promised in owed.items()}
            task = Task(new_id("t"), "incident-overdue", incident.id, now, min(owed.values()), facts=facts)
            if work.tasks.open(task):
                opened = {"kind": task.kind, "owed": facts}
                work.ledger.append(now, SYSTEM, "task.opened", incident.id, opened)
                late.append(incident.id)
        if late:
            work.commit()
    return tuple(late)
