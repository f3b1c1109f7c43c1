"""Answers to the public at the console: drafted, checked, signed and published, as a statement after a disaster is."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from geowarn.domain.incident import Draft, DraftStatus, Publication, Statement, lacking
from geowarn.domain.people import Role
from geowarn.pipeline.answers import ANSWERS, check_answer, edit_answer, open_answer, publish_answer, sign_answer
from geowarn.pipeline.incidents import EDITORS, find_incident
from geowarn.pipeline.voice_acts import link, may_read
from geowarn.pipeline.voice_sealed import said_in
from geowarn.pipeline.voices import find_voice
from geowarn.ports import UnitOfWork, VoiceChoice
from geowarn.web.access import Visit, Visiting

router = APIRouter(prefix="/console/answers", include_in_schema=False)
HERE = "/console/answers"
TEXTS = ("title", "asked", "answer", "note")  # fields of the form, each in both languages


def table_of(form: dict[str, str]) -> dict[str, Any]:
    """The form as the table that a file of `geowarn answers` holds."""
    texts = {name: {lang: form.get(f"{name}.{lang}", "") for lang in ("zh", "en")} for name in TEXTS}
    sort = "rumour" if form.get("sort") == "rumour" else "question"
    warnings = [name for name in form.get("warnings", "").split() if name]
    return {"title": texts["title"], sort: texts["asked"], "answer": texts["answer"], "note": texts["note"]} | {
        "warnings": warnings
    }


def form_of(statement: Statement, slugs: tuple[str, ...]) -> dict[str, str]:
    """A statement as the form shows it; the note is of each version's own."""
    sort = "rumour" if "rumour" in statement.parts else "question"
    texts = {"title": statement.title, "asked": statement.parts[sort].text, "answer": statement.parts["answer"].text}
    shown = {f"{name}.{lang}": text.say(lang) for name, text in texts.items() for lang in ("zh", "en")}
    return shown | {"sort": sort, "warnings": " ".join(slugs)}


@router.get("")
def listing(visit: Visiting) -> Response:
    """Every answer, newest first."""
    may_read(visit.actor)
    with visit.system.store.read() as work:
        rows = [_row(work, answer.id) for answer in work.answers.all()]
    return visit.page("answers", rows=rows, may=_edits(visit))


def _row(work: UnitOfWork, answer_id: str) -> dict[str, Any]:
    published, draft = work.answers.publications(answer_id), _open(work, answer_id)
    newest = draft.statement if draft else published[-1].statement
    return {"id": answer_id, "statement": newest, "published": published[-1] if published else None, "draft": draft}


def _open(work: UnitOfWork, answer_id: str) -> Draft | None:
    return next((d for d in work.answers.drafts(answer_id) if d.status is DraftStatus.OPEN), None)


def _edits(visit: Visit) -> bool:
    return bool(visit.user.roles & {*EDITORS})


@router.get("/new")
def new(visit: Visiting) -> Response:
    """An empty form, or one that begins from what somebody asked."""
    may_read(visit.actor)
    number, given = visit.request.query_params.get("voice", ""), {"sort": "question"}
    said = None
    if number:
        with visit.system.store.read() as work:
            said = said_in(visit.system.vault, find_voice(work, number))
    return visit.page("answer_edit", answer="", form=given, voice=number, said=said, first=True)


@router.post("")
def begin(visit: Visiting) -> Response:
    """Begin an answer, and tie it to the voice it began from."""
    form = visit.form()
    draft = open_answer(visit.system.desk, table_of(form), visit.actor)
    if form.get("voice"):
        link(visit.system.desk, form["voice"], visit.actor, "answer", draft.incident_id)
    return visit.go(f"{HERE}/{draft.incident_id}")


@router.get("/{answer}")
def one(visit: Visiting, answer: str) -> Response:
    """Its versions, the draft under review and what that still lacks."""
    may_read(visit.actor)
    with visit.system.store.read() as work:
        found = find_incident(work, answer, ANSWERS)
        draft = _open(work, found.id)
        published = work.answers.publications(found.id)
        signed = work.answers.signoffs(draft.id) if draft else ()
        values: dict[str, Any] = {
            "answer": found.id,
            "draft": draft,
            "published": published,
            "signed": signed,
            "missing": lacking(visit.system.policy.answer, draft, signed) if draft else (),
            "before": published[-1].statement if published else None,
            "voices": work.voices.list(VoiceChoice(answer_id=found.id)),
            "users": {user.name: user for user in work.users.all()},
        }
    own = draft is not None and draft.edited_by == visit.user.name
    checks = Role.DISCLOSURE in visit.user.roles and not own
    signs = bool(visit.user.roles & {*visit.system.policy.answer}) and all(s.user != visit.user.name for s in signed)
    return visit.page("answer", **values, may=_edits(visit), checks=checks, signs=signs)


@router.get("/{answer}/edit")
def edit_form(visit: Visiting, answer: str) -> Response:
    """The form of the next version, or of the one under review."""
    may_read(visit.actor)
    with visit.system.store.read() as work:
        found = find_incident(work, answer, ANSWERS)
        newest: Draft | Publication = _open(work, found.id) or work.answers.publications(found.id)[-1]
        first = not work.answers.publications(found.id)
        slugs = _slugs(work, newest.statement)
    given = form_of(newest.statement, slugs)
    if isinstance(newest, Draft):
        given |= {f"note.{lang}": newest.statement.note.say(lang) for lang in ("zh", "en")}
    return visit.page("answer_edit", answer=found.id, form=given, voice="", said=None, first=first)


def _slugs(work: UnitOfWork, statement: Statement) -> tuple[str, ...]:
    chains = [(name, work.bulletins.of_warning(name)) for name in statement.warnings]
    return tuple(chain[-1].slug if chain else name for name, chain in chains)


@router.post("/{answer}/edit")
def edit(visit: Visiting, answer: str) -> Response:
    """Draft the next version."""
    form = visit.form()
    edit_answer(visit.system.desk, answer, table_of(form), visit.actor)
    return visit.go(f"{HERE}/{answer}")


@router.post("/{answer}/check")
def check(visit: Visiting, answer: str) -> Response:
    """Record the secrecy check of the words that the page showed."""
    form = visit.form()
    check_answer(visit.system.desk, answer, visit.actor, form.get("digest", "-") or "-")
    return visit.go(f"{HERE}/{answer}")


@router.post("/{answer}/sign")
def sign(visit: Visiting, answer: str) -> Response:
    """Sign the words that the page showed."""
    form = visit.form()
    sign_answer(visit.system.desk, answer, visit.actor, form.get("digest", "-") or "-")
    return visit.go(f"{HERE}/{answer}")


@router.post("/{answer}/publish")
def publish(visit: Visiting, answer: str) -> Response:
    """Publish the signed draft; pages, feeds and search have it within a minute."""
    visit.form()
    publish_answer(visit.system.desk, answer, visit.actor)
    return visit.go(f"{HERE}/{answer}")
