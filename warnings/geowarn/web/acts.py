"""What a person does at the console; every act is a form, every rule is the use case's."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from geowarn.catalogue import explain
from geowarn.domain.area import AreaKind, by_code
from geowarn.domain.errors import NotFound, Refused
from geowarn.domain.level import Level
from geowarn.domain.warning import Act
from geowarn.pipeline import change, review, sign_codes, signoff
from geowarn.pipeline.desk import find_warning
from geowarn.pipeline.preview import preview
from geowarn.pipeline.propose import follow_course, propose_by_hand
from geowarn.pipeline.release import release, retract
from geowarn.web.access import Visit, Visiting
from geowarn.web.channel_texts import channel_texts
from geowarn.web.review import review_page
from geowarn.web.review_conflict import both_texts

router = APIRouter(prefix="/console", include_in_schema=False)
ACTS = ("update", "downgrade", "extend", "lift", "cancel")
_SLOT = "slot."
_LEVEL = "level."


def _page(name: str) -> str:
    return f"/console/warnings/{name}"


def _slots(form: dict[str, str]) -> dict[str, str]:
    """A text area's line ends are not meant: a slot is one line."""
    return {key.removeprefix(_SLOT): " ".join(text.split()) for key, text in form.items() if key.startswith(_SLOT)}


def _whole(form: dict[str, str], name: str) -> int:
    try:
        return int(form.get(name, ""))
    except ValueError:
        raise Refused("web.number", field=name) from None


@router.post("/warnings/{name}/edit")
def edit(visit: Visiting, name: str) -> Response:
    """Save the slots as a new version; signatures are void."""
    form, desk = visit.form(), visit.system.desk
    try:
        review.edit(desk, name, _slots(form), visit.actor, _whole(form, "version"))
    except Refused as refusal:
        if refusal.key != "review.moved-on":
            raise
        return both_texts(visit, name, _slots(form), _whole(form, "version"))
    return visit.go(_page(name))


@router.post("/warnings/{name}/adopt")
def adopt(visit: Visiting, name: str) -> Response:
    """Make a version of what the newest runs call for, in place of the one under review."""
    visit.form()
    with visit.system.store.read() as work:
        warning = find_warning(work, name)
    follow_course(visit.system.desk, visit.actor)
    return visit.go(_page(warning.id))


@router.post("/warnings/{name}/return")
def give_back(visit: Visiting, name: str) -> Response:
    """Give it back to be edited, with the reason."""
    review.return_for_edit(visit.system.desk, name, visit.form().get("reason", ""), visit.actor)
    return visit.go(_page(name))


@router.post("/warnings/{name}/dismiss")
def dismiss(visit: Visiting, name: str) -> Response:
    """Decide not to issue, with the reason."""
    review.dismiss(visit.system.desk, name, visit.form().get("reason", ""), visit.actor)
    return visit.go(_page(name))


@router.post("/warnings/{name}/sign")
def sign(visit: Visiting, name: str) -> Response:
    """Sign exactly the package whose digest the page showed; where ticked, send the next signer a code."""
    form = visit.form()
    signoff.sign(visit.system.desk, name, visit.actor, form.get("package_sha256", "") or "-", form.get("code", ""))
    if form.get("ask_next"):
        try:
            sign_codes.ask(visit.system.desk, name, form["ask_next"], visit.actor)
        except Refused as refusal:  # the signature stands all the same, and the page must say so
            return review_page(visit, name, explain(Refused("code.signed-unasked", why=refusal), visit.words.language))
    return visit.go(_page(name))


@router.post("/warnings/{name}/release")
def issue(visit: Visiting, name: str) -> Response:
    """Release the signed version whose digest the page showed."""
    digest = visit.form().get("package_sha256", "")
    bulletin = release(visit.system.desk, name, visit.actor, digest or "-")
    return visit.go(f"{_page(bulletin.warning_id)}/board")


@router.post("/warnings/{name}/retract")
def withdraw(visit: Visiting, name: str) -> Response:
    """Send the prepared retraction; the words typed are the confirmation."""
    form = visit.form()
    bulletin = retract(visit.system.desk, name, form.get("typed", ""), visit.actor, form.get("code", ""))
    return visit.go(f"{_page(bulletin.warning_id)}/board")


@router.get("/warnings/{name}/act/{act}")
def ask(visit: Visiting, name: str, act: str) -> Response:
    """The small form of an update, an extension, an all-clear or a cancellation."""
    if act not in ACTS:
        raise NotFound("web.no-page")
    return visit.page("act", **_act_values(visit, name, act))


def _act_values(visit: Visit, name: str, act: str) -> dict[str, Any]:
    with visit.system.store.read() as work:
        warning = find_warning(work, name)
        chain = work.bulletins.of_warning(warning.id)
        areas = by_code(work.areas.all())
    if not chain:
        raise NotFound("web.no-version", warning=name)
    held = {area.code: area.level for area in chain[-1].content.areas}
    others = [a for a in areas.values() if a.kind in (AreaKind.COUNTY, AreaKind.ZONE) and a.code not in held]
    return {"act": act, "warning": warning, "last": chain[-1], "areas": areas, "held": held, "others": others}


def _levels(form: dict[str, str]) -> dict[str, Level]:
    named = {key.removeprefix(_LEVEL): Level.parse(value) for key, value in form.items() if key.startswith(_LEVEL)}
    added = form.get("add_area", "")
    if added:
        named[added] = Level.parse(form.get("add_level", ""))
    return named


def _until(visit: Visit, form: dict[str, str]) -> datetime:
    """A form's local date and time, in the installation's zone."""
    try:
        return datetime.fromisoformat(form.get("until", "")).replace(tzinfo=visit.words.zone)
    except ValueError:
        raise Refused("web.moment", field="until") from None


def _making(visit: Visit, name: str, act: str, form: dict[str, str]) -> change.Making:
    """What the form of an act makes of the bulletin in force."""
    desk, reason = visit.system.desk, form.get("reason", "")
    match act:
        case "update":
            levels = _levels(form)
            return lambda work: change.update_content(desk, work, name, levels, reason)
        case "downgrade":
            levels = _levels(form)
            return lambda work: change.downgrade_content(desk, work, name, levels, reason)
        case "extend":
            until = _until(visit, form)
            return lambda work: change.extend_content(desk, work, name, until, reason)
        case "lift" | "cancel":
            closing = Act.LIFT if act == "lift" else Act.CANCEL
            return lambda work: change.closing_content(desk, work, name, closing, reason)
        case _:
            raise NotFound("web.no-page")


@router.post("/warnings/{name}/act/{act}")
def follow(visit: Visiting, name: str, act: str) -> Response:
    """Propose what follows; it is reviewed and signed like any other."""
    making = _making(visit, name, act, visit.form())
    proposal = change.propose_change(visit.system.desk, making, visit.actor)
    return visit.go(_page(proposal.warning_id))


@router.post("/warnings/{name}/act/{act}/preview")
def look_first(visit: Visiting, name: str, act: str) -> Response:
    """What each channel would say and who would get it; nothing is stored, the same form proposes it."""
    form = visit.form()
    seen = preview(visit.system.desk, _making(visit, name, act, form), visit.actor)
    texts = channel_texts(seen.package, seen.content.slots, visit.words, {})
    values = _act_values(visit, name, act)
    return visit.page("act_preview", seen=seen, texts=texts, form=form, content=seen.content, **values)


@router.get("/propose")
def ask_by_hand(visit: Visiting) -> Response:
    """The form for what a person knows without a forecast."""
    with visit.system.store.read() as work:
        areas = [area for area in work.areas.all() if area.kind is not AreaKind.CITY]
    return visit.page("propose", areas=areas, known=by_code(areas))


@router.post("/propose")
def by_hand(visit: Visiting) -> Response:
    """Propose a warning by hand."""
    form = visit.form()
    levels = {form.get("area", ""): Level.parse(form.get("level", ""))}
    proposal = propose_by_hand(
        visit.system.desk, levels, _whole(form, "hours"), form.get("reason", ""), form.get("source", ""), visit.actor
    )
    return visit.go(_page(proposal.warning_id))
