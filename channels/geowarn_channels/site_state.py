"""The state for machines: `current.json` and `current.geojson`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from geowarn.domain.canonical import canonical_json
from geowarn_channels.feed_items import cap_files
from geowarn_channels.site_view import Shown, SiteView


def current_json(facts: Mapping[str, Mapping[str, Any]], view: SiteView) -> bytes:
    """The complete state: what is in force, or explicitly that nothing is."""
    state, zone = view.state, facts["installation"]["zone"]
    since = state.none_in_force_since
    body = {
        "sequence": state.sequence,
        "generated": _time(state.generated, zone),
        "next_update": _time(state.next_update, zone),
        "none_in_force": not view.in_force,
        "none_in_force_since": _time(since, zone) if since and not view.in_force else None,
        "synthetic": state.synthetic,
        **({"exercise": True} if view.exercise else {}),
        "active": [_active(facts, view, shown) for shown in view.in_force],
    }
    return json.dumps(body, ensure_ascii=False, indent=1).encode() + b"\n"


def _active(facts: Mapping[str, Mapping[str, Any]], view: SiteView, shown: Shown) -> dict[str, Any]:
    url, zone, bulletin = facts["site"]["public_url"], facts["installation"]["zone"], shown.bulletin
    return {
        "number": bulletin.number,
        "slug": bulletin.slug,
        "level": shown.level,
        "areas": [
            {"code": code, "level": words["level"], "name_zh": name_zh, "name_en": name_en}
            for words in shown.entry["levels"]
            for code, name_zh, name_en in zip(words["codes"], words["names"]["zh"], words["names"]["en"], strict=True)
        ],
        "sent": _time(bulletin.released_at, zone),
        "onset": _time(bulletin.content.onset, zone),
        "expires": _time(bulletin.content.expires, zone),
        "title": shown.entry["title"],
        "synthetic": bulletin.content.synthetic or view.state.synthetic,
        "url": f"{url}/w/{bulletin.slug}/",
        "cap": [f"{url}/{path}" for path in cap_files(shown.published.artefacts)],
    }


def current_geojson(facts: Mapping[str, Mapping[str, Any]], view: SiteView) -> bytes:
    """The areas under a public warning as GeoJSON (RFC 7946); no feature means that none is in force."""
    zone = facts["installation"]["zone"]
    features = []
    for code, level in sorted(view.levels.items(), key=lambda item: (-item[1], item[0])):
        area = view.state.areas.get(code)
        if area is None:
            continue
        point = {"type": "Point", "coordinates": [area.lon, area.lat]} if area.lon is not None else None
        properties = {"code": code, "name_zh": area.name_zh, "name_en": area.name_en, "level": level.code}
        geometry = dict(area.geometry) if area.geometry else point
        features.append({"type": "Feature", "id": code, "properties": properties, "geometry": geometry})
    body = {
        "type": "FeatureCollection",
        "generated": _time(view.state.generated, zone),
        "none_in_force": not view.in_force,
        "synthetic": view.state.synthetic,
        **({"exercise": True} if view.exercise else {}),
        "features": features,
    }
    return canonical_json(body).encode() + b"\n"


def _time(moment: datetime, zone: str) -> str:
    return moment.astimezone(ZoneInfo(zone)).isoformat(timespec="seconds")
