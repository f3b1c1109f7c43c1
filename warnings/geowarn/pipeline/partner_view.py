"""What a partner may see: the same JSON as `warnings show`, without what is not public for keys without that scope."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from geowarn.domain.area import Area
from geowarn.domain.assessment import AssessmentRun
from geowarn.domain.bulletin import Bulletin, Standing, standing
from geowarn.domain.errors import NotFound
from geowarn.domain.exercise import Pages
from geowarn.domain.level import Level
from geowarn.domain.package import Artefact
from geowarn.domain.policy import Policy
from geowarn.domain.warning import HazardWarning, Series, WarningStatus
from geowarn.pipeline.view import warning_view
from geowarn.ports import UnitOfWork


def visible(bulletin: Bulletin, internal: bool) -> bool:
    """Whether a key sees this bulletin: notes below the public level and exercises only with scope `internal`."""
    return internal or bulletin.series is Series.REAL


def seen_warning(work: UnitOfWork, warning: HazardWarning, policy: Policy, internal: bool) -> dict[str, Any] | None:
    """The warning as this key may see it; None where nothing of it is public."""
    if internal:
        return warning_view(work, warning, policy)
    chain = [bulletin for bulletin in work.bulletins.of_warning(warning.id) if visible(bulletin, internal)]
    if not chain:
        return None
    last, whole = chain[-1], warning_view(work, warning, policy)
    slugs = {bulletin.slug for bulletin in chain}
    return {
        "id": warning.id,
        "number": last.number,
        "slug": last.slug,
        "status": warning.status.value,
        "series": warning.series.value,
        "level": last.content.highest.code,
        "areas": _areas(last, policy.publish_from, internal),
        "onset": last.content.onset.isoformat(),
        "expires": last.content.expires.isoformat(),
        "package_sha256": last.package_sha256,
        "bulletins": [one for one in whole["bulletins"] if one["slug"] in slugs],
        "dispatches": counts(work, last),
    }


def must_see(work: UnitOfWork, warning: HazardWarning, policy: Policy, internal: bool) -> dict[str, Any]:
    """See `seen_warning`; raises NotFound where nothing of it is public, as for a warning that is not there."""
    found = seen_warning(work, warning, policy, internal)
    if found is None:
        raise NotFound("warnings.unknown", warning=warning.id)
    return found


def _areas(bulletin: Bulletin, publish_from: Level, internal: bool) -> list[dict[str, str]]:
    found = bulletin.content.areas if internal else bulletin.content.at_or_above(publish_from)
    return [{"code": area.code, "level": area.level.code} for area in found]


def counts(work: UnitOfWork, bulletin: Bulletin) -> dict[str, dict[str, int]]:
    """channel -> state -> how many; no target is named."""
    found = work.dispatches.counts(bulletin.id)
    return {channel: {state.value: n for state, n in states.items()} for channel, states in found.items()}


def find_bulletin(work: UnitOfWork, slug: str, internal: bool) -> Bulletin:
    """The bulletin of this slug that the key may see; raises NotFound."""
    found = work.bulletins.by_slug(slug)
    if found is None or not visible(found, internal):
        raise NotFound("partners.unknown-bulletin", bulletin=slug[:40])
    return found


def bulletin_view(
    work: UnitOfWork, bulletin: Bulletin, policy: Policy, internal: bool, now: datetime, pages: Pages
) -> dict[str, Any]:
    """One frozen bulletin, its artefacts by digest."""
    chain, content = work.bulletins.of_warning(bulletin.warning_id), bulletin.content
    return {
        "id": bulletin.id,
        "warning": bulletin.warning_id,
        "number": bulletin.number,
        "slug": bulletin.slug,
        "series": bulletin.series.value,
        "act": bulletin.act.value,
        "msg_type": bulletin.msg_type.value,
        "standing": standing(bulletin, chain, now).value,
        "level": content.highest.code,
        "areas": _areas(bulletin, policy.publish_from, internal),
        "sent": bulletin.late["sent"],
        "onset": content.onset.isoformat(),
        "expires": content.expires.isoformat(),
        "synthetic": content.synthetic,
        "package_sha256": bulletin.package_sha256,
        "page": pages.of(bulletin),
        "artefacts": [{"path": path, "sha256": digest} for path, digest in sorted(bulletin.artefacts.items())],
        "dispatches": counts(work, bulletin),
    }


def levels_now(work: UnitOfWork, now: datetime, policy: Policy, internal: bool) -> dict[str, tuple[Level, str]]:
    """Area code -> the highest level in force there now, and the slug of the bulletin that says so."""
    found: dict[str, tuple[Level, str]] = {}
    for warning in work.warnings.standing(WarningStatus.IN_FORCE):
        chain = work.bulletins.of_warning(warning.id)
        if not chain or chain[-1].series is Series.EXERCISE or not visible(chain[-1], internal):
            continue
        bulletin = chain[-1]
        if standing(bulletin, chain, now) is not Standing.IN_FORCE:
            continue
        for area in bulletin.content.areas:
            shown = internal or area.level >= policy.publish_from
            if shown and area.level > found.get(area.code, (Level.NONE, ""))[0]:
                found[area.code] = (area.level, bulletin.slug)
    return found


def area_view(area: Area, now: Mapping[str, tuple[Level, str]]) -> dict[str, Any]:
    """One area with its present level."""
    level, slug = now.get(area.code, (Level.NONE, None))
    return {
        "code": area.code,
        "kind": area.kind.value,
        "name_zh": area.name_zh,
        "name_en": area.name_en,
        "parent": area.parent,
        "level": level.code,
        "bulletin": slug,
    }


def run_view(run: AssessmentRun, zone: ZoneInfo) -> dict[str, Any]:
    """A run of the deciding model; level null: cannot be classified, never "none"."""
    return {
        "id": run.id,
        "model": run.model,
        "rules": run.rules,
        "rules_digest": run.rules_digest,
        "calibrated": run.calibrated,
        "synthetic": run.synthetic,
        "run_time": run.run_time.astimezone(zone).isoformat(),
        "created_at": run.created_at.astimezone(zone).isoformat(),
        "window": {
            "start": run.window.start.astimezone(zone).isoformat(),
            "end": run.window.end.astimezone(zone).isoformat(),
        },
        "stale_reason": run.stale_reason,
        "areas": [
            {
                "code": one.area,
                "level": one.level.code if one.level is not None else None,
                "lower_bound": one.lower_bound,
                "evidence": dict(one.evidence),
            }
            for one in run.assessments
        ],
    }


def files_view(artefacts: tuple[Artefact, ...]) -> list[dict[str, Any]]:
    """The files of a package under review, in order of path."""
    files = sorted(artefacts, key=lambda artefact: artefact.path)
    return [
        {"path": one.path, "sha256": one.sha256, "size": len(one.body), "media_type": one.media_type} for one in files
    ]
