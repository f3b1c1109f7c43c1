"""One bulletin as a JSON document for partners, with late fields as markers."""

from __future__ import annotations

import json
from typing import Any

from geowarn.domain.package import marker
from geowarn.domain.warning import Series
from geowarn.ports import BulletinDraft, Templates
from geowarn_channels import texts
from geowarn_channels.cap import cap_levels, identifier
from geowarn_channels.course import is_exercise, public_areas, public_levels
from geowarn_channels.moments import cap_time

DOCUMENT = "webhook/bulletin.json"
FORMAT = "geowarn-bulletin/1"
LANGUAGES = ("zh", "en")


def document(draft: BulletinDraft, templates: Templates) -> bytes:
    """The document; times carry the installation's offset, addresses are absolute."""
    content, base = draft.content, str(draft.facts["site"]["public_url"])
    zone = str(draft.facts["installation"]["zone"])
    body: dict[str, Any] = {
        "format": FORMAT,
        "number": marker("number"),
        "slug": marker("slug"),
        "sent": marker("sent"),
        "status": "exercise" if is_exercise(draft) else "actual",
        "exercise": content.series is Series.EXERCISE,
        "label": {language: texts.synthetic_label(templates, draft, language) for language in LANGUAGES},
        "act": content.act.value,
        "msg_type": content.msg_type.value,
        "onset": cap_time(content.onset, zone),
        "expires": cap_time(content.expires, zone),
        "issuer": {language: texts.issuer_line(draft, language) for language in LANGUAGES},
        "title": {language: texts.headline(templates, draft, None, language) for language in LANGUAGES},
        "text": {language: texts.description(templates, draft, None, language) for language in LANGUAGES},
        "instruction": {language: texts.instruction(templates, draft, None, language) for language in LANGUAGES},
        "levels": [
            {
                "level": level.code,
                "areas": [
                    {"code": area.code, "name": {lang: texts.area_name(draft, area.code, lang) for lang in LANGUAGES}}
                    for area in public_areas(draft, level)
                ],
            }
            for level in public_levels(draft)
        ],
        "page": {"zh": f"{base}/w/{marker('slug')}/", "en": f"{base}/en/w/{marker('slug')}/"},
        "cap": [f"{base}/cap/{identifier(draft, level)}.xml" for level in cap_levels(draft)],
    }
    return json.dumps(body, ensure_ascii=False, indent=1).encode() + b"\n"
