"""`/api/v1`: what partners read. Keys without scope `internal` see what is public."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from starlette.requests import Request
from starlette.responses import Response

from geowarn.domain.bulletin import Bulletin
from geowarn.domain.errors import NotFound
from geowarn.domain.exercise import Pages
from geowarn.domain.package import Artefact
from geowarn.domain.partner import Scope
from geowarn.domain.warning import Series, WarningStatus
from geowarn.pipeline import partner_view as views
from geowarn.pipeline.desk import find_warning, under_review
from geowarn.pipeline.view import warning_view
from geowarn.ports import UnitOfWork
from geowarn.web import api_models as shapes
from geowarn.web.api_call import Caller, answered, by_key, page, says, with_tag
from geowarn.web.api_problem import explained_problem
from geowarn.web.public_tree import MEDIA_TYPES

router = APIRouter(prefix="/api/v1", tags=["read"])
Reader = Annotated[Caller, by_key(Scope.READ)]
Insider = Annotated[Caller, by_key(Scope.INTERNAL)]
Anyone = Annotated[Caller, by_key(None)]
Name = Annotated[str, Path(max_length=80, description="id, slug or number")]
Slug = Annotated[str, Path(max_length=40, examples=["2026-012"])]
File = Annotated[str, Path(max_length=240, description="as listed under `artefacts`")]
Limit = Annotated[int, Query(ge=1, le=100)]
Cursor = Annotated[str, Query(max_length=120, description="`next` of the page before")]


@router.get("/problems/{key}", **says("explainProblem", "", shapes.ProblemKind, 404, 422))
def explain_problem(request: Request, key: Annotated[str, Path(max_length=80)]) -> Response:
    """What a kind of problem says, in both languages; needs no key."""
    return answered(request, shapes.ProblemKind.model_validate(explained_problem(key)))


@router.get("/key", **says("showKey", None, shapes.KeyInfo))
def show_key(caller: Anyone) -> Response:
    """What the key that asks may do."""
    key = caller.key
    ends = key.expires_at.astimezone(caller.system.desk.zone).isoformat() if key.expires_at else None
    info = shapes.KeyInfo(
        id=key.id,
        prefix=key.prefix,
        owner=key.owner,
        of_account=key.of_account,
        scopes=sorted(scope.value for scope in key.scopes),
        per_minute=key.per_minute,
        expires_at=ends,
    )
    return answered(caller.request, info)


@router.get("/warnings", **says("listWarnings", Scope.READ, shapes.WarningList, 400, 422))
def list_warnings(caller: Reader, in_force: bool = False, limit: Limit = 20, cursor: Cursor = "") -> Response:
    """Warnings newest first; `in_force` true: only those in force now."""
    policy = caller.system.policy
    with caller.system.store.read() as work:
        every = [one for one in work.warnings.all() if not in_force or one.status is WarningStatus.IN_FORCE]
        public = frozenset() if caller.internal else work.bulletins.warnings_in((Series.REAL,))
        mine = [one for one in every if caller.internal or one.id in public]
        shown, after = page(mine, lambda one: one.id, limit, cursor)
        items = [views.must_see(work, one, policy, caller.internal) for one in shown]
    return answered(caller.request, shapes.WarningList.model_validate({"items": items, "next": after}))


@router.get("/warnings/{name}", **says("showWarning", Scope.READ, shapes.WarningInfo, 404, 422))
def show_warning(caller: Reader, name: Name) -> Response:
    """One warning; with scope `internal` also what is under review, who signed and what is missing."""
    with caller.system.store.read() as work:
        found = views.must_see(work, find_warning(work, name), caller.system.policy, caller.internal)
    return answered(caller.request, shapes.WarningInfo.model_validate(found))


@router.get("/warnings/{name}/package", **says("showPackage", Scope.INTERNAL, shapes.Package, 404, 422))
def show_package(caller: Insider, name: Name) -> Response:
    """The version under review with every file by digest: what a co-signature agrees to."""
    with caller.system.store.read() as work:
        warning = find_warning(work, name)
        proposal = under_review(work, warning.id)
        package = work.proposals.package(proposal.id)
        missing = warning_view(work, warning, caller.system.policy)["missing"]
    found = {
        "warning": warning.id,
        "version": proposal.version,
        "status": proposal.status.value,
        "package_sha256": proposal.package_sha256,
        "missing": missing,
        "manifest": package.manifest,
        "files": views.files_view(package.artefacts),
    }
    return answered(caller.request, shapes.Package.model_validate(found))


def _bytes(operation: str, scope: Scope) -> dict[str, Any]:
    described = says(operation, scope, None, 404, 422)
    binary = {"schema": {"type": "string", "contentMediaType": "application/octet-stream"}}
    described["responses"][200] = {"description": "The bytes; the ETag is their SHA-256", "content": {"*/*": binary}}
    return described | {"response_class": Response}


@router.get("/warnings/{name}/package/{path:path}", **_bytes("readPackageFile", Scope.INTERNAL))
def read_package_file(caller: Insider, name: Name, path: File) -> Response:
    """The bytes of one file under review, late fields still as markers."""
    with caller.system.store.read() as work:
        proposal = under_review(work, find_warning(work, name).id)
        files = {one.path: one for one in work.proposals.package(proposal.id).artefacts}
    return _file(caller.request, files.get(path), path)


@router.get("/bulletins", **says("listBulletins", Scope.READ, shapes.BulletinList, 400, 422))
def list_bulletins(caller: Reader, limit: Limit = 20, cursor: Cursor = "") -> Response:
    """Bulletins newest first."""
    with caller.system.store.read() as work:
        mine = work.bulletins.slugs(tuple(Series) if caller.internal else (Series.REAL,))
        shown, after = page(mine, lambda slug: slug, limit, cursor)
        found = filter(None, map(work.bulletins.by_slug, shown))
        items = [_bulletin(caller, work, one) for one in found]
    return answered(caller.request, shapes.BulletinList.model_validate({"items": items, "next": after}))


def _bulletin(caller: Caller, work: UnitOfWork, found: Bulletin) -> dict[str, Any]:
    system = caller.system
    now, pages = system.clock.now(), Pages.by(system.facts)
    return views.bulletin_view(work, found, system.policy, caller.internal, now, pages)


@router.get("/bulletins/{slug}", **says("showBulletin", Scope.READ, shapes.Bulletin, 404, 422))
def show_bulletin(caller: Reader, slug: Slug) -> Response:
    """One bulletin with its frozen files by digest."""
    with caller.system.store.read() as work:
        found = _bulletin(caller, work, views.find_bulletin(work, slug, caller.internal))
    return answered(caller.request, shapes.Bulletin.model_validate(found))


@router.get("/bulletins/{slug}/dispatches", **says("countDispatches", Scope.READ, shapes.DispatchCounts, 404, 422))
def count_dispatches(caller: Reader, slug: Slug) -> Response:
    """How many messages stand where, by channel; no target is named."""
    with caller.system.store.read() as work:
        found = views.find_bulletin(work, slug, caller.internal)
        told = {
            "slug": slug,
            "settled": not work.dispatches.unsettled(found.id),
            "dispatches": views.counts(work, found),
        }
    return answered(caller.request, shapes.DispatchCounts.model_validate(told))


@router.get("/bulletins/{slug}/artefacts/{path:path}", **_bytes("readArtefact", Scope.READ))
def read_artefact(caller: Reader, slug: Slug, path: File) -> Response:
    """The frozen bytes of one file of a bulletin."""
    with caller.system.store.read() as work:
        found = views.find_bulletin(work, slug, caller.internal)
        body = work.bulletins.artefacts(found.id).get(path)
    return _file(caller.request, Artefact(path, "", body) if body is not None else None, path)


def _file(request: Request, found: Artefact | None, path: str) -> Response:
    if found is None:
        raise NotFound("partners.no-file", path=path[:80])
    ending = "." + path.rpartition(".")[2]
    media_type = found.media_type or MEDIA_TYPES.get(ending, "application/octet-stream")
    answer = with_tag(request, found.body, media_type, found.sha256)
    answer.headers["Content-Disposition"] = "attachment"  # a page of ours is never run from this address
    return answer


@router.get("/areas", **says("listAreas", Scope.READ, shapes.AreaList, 400, 422))
def list_areas(caller: Reader, limit: Limit = 100, cursor: Cursor = "") -> Response:
    """Areas by code, each with the level in force there now."""
    system = caller.system
    with system.store.read() as work:
        shown, after = page(work.areas.all(), lambda area: area.code, limit, cursor)
        now = views.levels_now(work, system.clock.now(), system.policy, caller.internal)
    items = [views.area_view(area, now) for area in shown]
    return answered(caller.request, shapes.AreaList.model_validate({"items": items, "next": after}))


@router.get("/areas/{code}", **says("showArea", Scope.READ, shapes.AreaNow, 404, 422))
def show_area(caller: Reader, code: Annotated[str, Path(max_length=40)]) -> Response:
    """One area with the level in force there now."""
    system = caller.system
    with system.store.read() as work:
        area = work.areas.get(code)
        if area is None:
            raise NotFound("partners.unknown-area", code=code)
        now = views.levels_now(work, system.clock.now(), system.policy, caller.internal)
    return answered(caller.request, shapes.AreaNow.model_validate(views.area_view(area, now)))


@router.get("/assessments/newest", **says("showNewestAssessment", Scope.INTERNAL, shapes.Assessment, 404))
def show_newest_assessment(caller: Insider) -> Response:
    """The newest run of the deciding model, area by area with its evidence: what is computed, not what is issued."""
    with caller.system.store.read() as work:
        runs = work.assessments.latest(1)
    if not runs:
        raise NotFound("partners.no-assessment")
    return answered(caller.request, shapes.Assessment.model_validate(views.run_view(runs[0], caller.system.desk.zone)))
