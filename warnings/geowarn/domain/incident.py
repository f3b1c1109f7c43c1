"""After a disaster: versioned statements on situation, cause, response and contact, each with a promised next update.

A published version never changes; a figure is corrected by the next version, whose note says what was corrected.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from geowarn.domain.canonical import canonical_json, sha256_hex
from geowarn.domain.errors import Refused
from geowarn.domain.people import Role, SignOff

PARTS = ("situation", "cause", "response", "contact")
ANSWER_PARTS = ("question", "rumour", "answer")  # of an answer to what people ask, or of a rumour put right (辟谣)
LONGEST_TITLE = 60
LONGEST_TEXT = 4000


@dataclass(frozen=True, slots=True)
class Text:
    """One text in both languages."""

    zh: str
    en: str

    def say(self, language: str) -> str:
        """The text in `zh` or `en`."""
        return self.zh if language == "zh" else self.en


@dataclass(frozen=True, slots=True)
class Part:
    """What is known of one part; `next_update` (UTC, a full hour) is a promise to the public, None: none is made."""

    text: Text
    next_update: datetime | None = None


@dataclass(frozen=True, slots=True)
class Statement:
    """One version of everything known; `note` says what changed, `warnings` are the ids of the warnings before it."""

    title: Text
    parts: Mapping[str, Part]
    note: Text
    warnings: tuple[str, ...] = ()
    closed: bool = False
    synthetic: bool = False

    def as_json(self) -> dict[str, Any]:
        """Plain JSON for hashing, storing and publishing; `statement_from_json` reads it back."""
        return {
            "title": {"zh": self.title.zh, "en": self.title.en},
            "parts": {
                name: {
                    "zh": part.text.zh,
                    "en": part.text.en,
                    "next_update": part.next_update.isoformat() if part.next_update else None,
                }
                for name, part in self.parts.items()
            },
            "note": {"zh": self.note.zh, "en": self.note.en},
            "warnings": list(self.warnings),
            "closed": self.closed,
            "synthetic": self.synthetic,
        }

    @property
    def digest(self) -> str:
        """SHA-256 over the canonical JSON: what secrecy check and signatures bind to."""
        return sha256_hex(canonical_json(self.as_json()))


def statement_from_json(value: Mapping[str, Any]) -> Statement:
    """Read back what `Statement.as_json` wrote."""
    parts = {
        name: Part(
            Text(part["zh"], part["en"]),
            datetime.fromisoformat(part["next_update"]) if part["next_update"] else None,
        )
        for name, part in value["parts"].items()
    }
    title, note = Text(**value["title"]), Text(**value["note"])
    return Statement(title, parts, note, tuple(value["warnings"]), value["closed"], value["synthetic"])


class DraftStatus(StrEnum):
    """Where a version stands before it is public."""

    OPEN = "open"
    SUPERSEDED = "superseded"
    PUBLISHED = "published"


@dataclass(frozen=True, slots=True)
class Draft:
    """A version under review; an edit makes a new one, and check and signatures begin again."""

    id: str
    incident_id: str
    version: int
    statement: Statement
    edited_by: str
    edited_at: datetime
    status: DraftStatus = DraftStatus.OPEN
    checked_by: str | None = None  # secrecy check (保密审查)
    checked_at: datetime | None = None

    @property
    def digest(self) -> str:
        """The digest of its statement."""
        return self.statement.digest


@dataclass(frozen=True, slots=True)
class Publication:
    """A published version, frozen; `signed_by` names role and person in the order of signing."""

    incident_id: str
    version: int
    statement: Statement
    published_at: datetime
    checked_by: str
    signed_by: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Incident:
    """One disaster; `id` is its public number `2026-03`."""

    id: str
    year: int
    serial: int
    opened_at: datetime
    synthetic: bool


def check_statement(
    statement: Statement, first: bool, parts: Sequence[str] = PARTS, needed_part: str = "situation"
) -> None:
    """Raise Refused naming the field that is empty, too long or unknown; a later version needs its note."""
    for name in statement.parts:
        if name not in parts:
            raise Refused("incidents.unknown-part", part=name, parts=", ".join(parts))
    needed = {"title": (statement.title, LONGEST_TITLE)}
    needed |= {name: (part.text, LONGEST_TEXT) for name, part in statement.parts.items()}
    if needed_part not in statement.parts:
        raise Refused("incidents.text", field=f"{needed_part}.zh", longest=LONGEST_TEXT)
    if not first:
        needed["note"] = (statement.note, LONGEST_TEXT)
    for name, (text, longest) in needed.items():
        for language in ("zh", "en"):
            if not 0 < len(text.say(language).strip()) <= longest:
                raise Refused("incidents.text", field=f"{name}.{language}", longest=longest)


def part_version(publications: Sequence[Publication], part: str) -> Publication | None:
    """The version in which a part last said something new; publications in order of version."""
    found: Publication | None = None
    for before, now in zip([None, *publications], publications, strict=False):
        held = before.statement.parts.get(part) if before else None
        if part in now.statement.parts and now.statement.parts[part] != held:
            found = now
    return found


def overdue(publications: Sequence[Publication], now: datetime) -> dict[str, datetime]:
    """The parts whose promised update has not come, with the promise; a closed incident owes nothing."""
    if not publications or publications[-1].statement.closed:
        return {}
    parts = publications[-1].statement.parts
    return {name: p.next_update for name, p in parts.items() if p.next_update is not None and p.next_update <= now}


def lacking(required: Sequence[Role], draft: Draft, signoffs: Sequence[SignOff]) -> tuple[str, ...]:
    """What still keeps a draft from the public: "secrecy-check", roles without a signature, or "only-editor"."""
    standing = [s for s in signoffs if s.package_sha256 == draft.digest and s.voided_at is None]
    missing = ["secrecy-check"] if draft.checked_by is None else []
    missing += [role.value for role in required if role not in {s.role for s in standing}]
    if not missing and {s.user for s in standing} <= {draft.edited_by}:
        missing.append("only-editor")
    return tuple(missing)
