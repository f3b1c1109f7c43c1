"""The archive for machines: CSV with a row per bulletin, level and area, and JSON, each with the terms of use inside.

Times are exact and carry their offset; what a person reads on pages goes down to the hour only.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from geowarn_channels.archive_shelves import Chain, Part, Shelf, parts_of, standings
from geowarn_channels.moments import cap_time
from geowarn_channels.site_view import Shown
from geowarn_channels.tree_record import Page, short

Facts = Mapping[str, Mapping[str, Any]]

FORMAT = "geowarn-archive/1"
COLUMNS = (
    "warning", "bulletin", "number", "act", "sent", "onset", "expires", "state", "ended",
    "level", "area", "area_zh", "area_en", "synthetic", "page", "licence",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would calculate what begins with one of these


def data_pages(shelves: Iterable[Shelf], facts: Facts, synthetic: bool, lasting: str) -> Iterator[Page]:
    """A pair of files for so many warnings, and the list of them; `lasting`: what every page depends on."""
    parts = [part for shelf in shelves for part in reversed(parts_of(shelf))]
    for part in parts:
        key = f"{short(standings(part.chains))}.{lasting}"
        for ending, written in (("csv", archive_csv), ("json", archive_json)):
            yield Page(f"{part.place}warnings.{ending}", key, partial(written, part, facts, synthetic))
    listed = short(lasting, [(part.place, len(part.chains)) for part in parts])
    yield Page("archive/files.json", f"{listed}.", partial(archive_index, parts, facts))


def archive_csv(part: Part, facts: Facts, synthetic: bool) -> bytes:
    """UTF-8 with byte order mark and CRLF, as spreadsheets of this country open it without a question."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for chain in part.chains:
        writer.writerows([_cell(value) for value in row] for row in _rows(chain, facts, synthetic))
    return out.getvalue().encode("utf-8-sig")


def archive_json(part: Part, facts: Facts, synthetic: bool) -> bytes:
    """The same warnings, oldest first, each with its bulletins in order."""
    warnings = [
        {"warning": chain[0].bulletin.slug, "bulletins": [_bulletin(shown, facts, synthetic) for shown in chain]}
        for chain in part.chains
    ]
    return _json({**_about(facts), "year": part.year, "part": part.number, "warnings": warnings})


def archive_index(parts: Iterable[Part], facts: Facts) -> bytes:
    """Every file of the archive, newest first."""
    base = facts["site"]["public_url"]
    listed = [
        {
            "year": part.year,
            "part": part.number,
            "warnings": len(part.chains),
            "csv": f"{base}/{part.place}warnings.csv",
            "json": f"{base}/{part.place}warnings.json",
        }
        for part in parts
    ]
    return _json({**_about(facts), "files": listed})


def _about(facts: Facts) -> dict[str, Any]:
    issuer, terms = facts["issuer"], facts["archive"]
    return {
        "format": FORMAT,
        "issuer": {"zh": issuer["name_zh"], "en": issuer["name_en"]},
        "jointly": {"zh": issuer["joint_zh"], "en": issuer["joint_en"]},
        "licence": {"zh": terms["licence_zh"], "en": terms["licence_en"], "url": terms["licence_url"]},
    }


def _bulletin(shown: Shown, facts: Facts, synthetic: bool) -> dict[str, Any]:
    return {
        **_times(shown, facts),
        "number": shown.bulletin.number,
        "sha256": shown.bulletin.package_sha256,
        "synthetic": synthetic or shown.bulletin.content.synthetic,
        "title": shown.entry["title"],
        "levels": [
            {
                "level": words["level"],
                "areas": [{"code": code, "name_zh": zh, "name_en": en} for code, zh, en in _areas(words)],
            }
            for words in shown.entry["levels"]
        ],
    }


def _times(shown: Shown, facts: Facts) -> dict[str, str]:
    made, zone = shown.bulletin, str(facts["installation"]["zone"])
    return {
        "bulletin": made.slug,
        "act": made.content.act.value,
        "sent": cap_time(made.released_at, zone),
        "onset": cap_time(made.content.onset, zone),
        "expires": cap_time(made.content.expires, zone),
        "state": shown.standing.value,
        "ended": cap_time(shown.ended_at, zone) if shown.ended_at else "",
        "page": f"{facts['site']['public_url']}/w/{made.slug}/",
    }


def _rows(chain: Chain, facts: Facts, synthetic: bool) -> Iterator[list[str]]:
    terms = facts["archive"]
    for shown in chain:
        fixed = {
            **_times(shown, facts),
            "warning": chain[0].bulletin.slug,
            "number": shown.bulletin.number,
            "synthetic": "yes" if synthetic or shown.bulletin.content.synthetic else "no",
            "licence": terms["licence_url"] or terms["licence_en"] or terms["licence_zh"],
        }
        for words in shown.entry["levels"]:
            for code, zh, en in _areas(words):
                row = {**fixed, "level": words["level"], "area": code, "area_zh": zh, "area_en": en}
                yield [row[column] for column in COLUMNS]


def _areas(words: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    return zip(words["codes"], words["names"]["zh"], words["names"]["en"], strict=True)


def _cell(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text


def _json(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False, indent=1).encode() + b"\n"
