"""The exact texts of a package as a person reads them, with late fields shown as what they will be."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lxml import html
from markupsafe import Markup, escape

from geowarn.domain.level import Level
from geowarn.domain.package import MARKER, Artefact, Package
from geowarn.domain.warning import Proposal, ProposalStatus
from geowarn.pipeline.desk import Desk
from geowarn.pipeline.render import draft_of, messages_of
from geowarn.ports import Measure, UnitOfWork
from geowarn.web.wording import Words


@dataclass(frozen=True, slots=True)
class Text:
    """One artefact, or one text inside it."""

    path: str
    name: str  # what a person calls it
    language: str
    level: Level | None
    body: Markup
    measure: Measure | None = None
    verbatim: bool = False  # shown letter by letter: XML, JSON


@dataclass(frozen=True, slots=True)
class ChannelTexts:
    """All texts of one channel."""

    channel: str
    texts: tuple[Text, ...] = field(default_factory=tuple)
    files: int = 0


def marked(text: str, slots: Mapping[str, str], w: Words) -> Markup:
    """The text escaped, slots underlined, late fields named instead of their markers."""
    shown = str(escape(text))
    for written in sorted({str(escape(slot)) for slot in slots.values() if slot}, key=len, reverse=True):
        shown = shown.replace(written, f"<mark>{written}</mark>")
    parts = MARKER.split(shown)
    for index in range(1, len(parts), 2):
        parts[index] = (
            f'<span class="cut">{w("late.field", name=w.or_code(f"late.{parts[index]}", parts[index]))}</span>'
        )
    return Markup("".join(parts))  # noqa: S704 - escaped above


def _plain(body: bytes) -> str:
    tree = html.fromstring(body.decode())
    blocks = [" ".join(str(part).split()) for part in tree.itertext()]
    return "\n".join(block for block in blocks if block)


def _level(path: str) -> Level | None:
    found = [level for level in Level if level.code in path.replace(".", "/").split("/")]
    return found[0] if found else None


def _language(path: str) -> str:
    return "en" if ".en." in path else "zh"


def _strings(value: Any, prefix: str = "") -> list[tuple[str, str]]:
    """Every text a listener or viewer would meet in a station's item, by its key."""
    if isinstance(value, str):
        return [(prefix, value)] if len(value) > 12 or prefix.rsplit(".", 1)[0] in ("crawl", "title", "script") else []
    if isinstance(value, dict):
        return [found for key, inner in value.items() for found in _strings(inner, f"{prefix}.{key}".strip("."))]
    return []


_KEPT = 15  # packages whose measures stay in memory
_SPOKEN = ("crawl", "title", "script", "cg")


def _texts(artefact: Artefact, slots: Mapping[str, str], w: Words, measures: Mapping[str, Measure]) -> list[Text]:
    path, measure = artefact.path, measures.get(artefact.path)
    kind = artefact.media_type.split(";")[0]
    if kind.startswith("image/") or (kind == "text/html" and path.startswith("mail/")):
        return []  # the page of a mail says what its text says
    if kind == "text/html":
        return [Text(path, path, _language(path), _level(path), marked(_plain(artefact.body), slots, w), measure)]
    text = artefact.body.decode()
    if kind == "application/json" and path.startswith("broadcast/"):
        spoken = [(k, v) for k, v in _strings(json.loads(text)) if k.split(".")[0].startswith(_SPOKEN)]
        return [
            Text(
                f"{path}#{key}",
                key,
                _language(f".{key}."),
                None,
                marked(value, slots, w),
                measures.get(f"{path}#{key}"),
            )
            for key, value in spoken
        ]
    plain = kind == "text/plain"
    return [Text(path, path, _language(path), _level(path), marked(text, slots, w), measure, verbatim=not plain)]


def channel_texts(
    package: Package, slots: Mapping[str, str], w: Words, measures: Mapping[str, Measure]
) -> tuple[ChannelTexts, ...]:
    """Every channel of the package with its texts, SMS first since it is read by most."""
    found: dict[str, list[Artefact]] = {}
    for artefact in package.artefacts:
        found.setdefault(artefact.path.split("/")[0], []).append(artefact)
    order = sorted(found, key=lambda name: (name != "sms", name != "broadcast", name))
    return tuple(
        ChannelTexts(
            name,
            tuple(
                sorted(
                    (text for artefact in found[name] for text in _texts(artefact, slots, w, measures)),
                    key=lambda text: (text.verbatim, text.language != "zh", -(text.level or 0)),
                )
            ),
            len(found[name]),
        )
        for name in order
    )


class Measuring:
    """Lengths, parts and seconds of a package's texts: prepared again once per package, then kept."""

    def __init__(self) -> None:
        self._held: dict[str, dict[str, Measure]] = {}

    def of(self, desk: Desk, work: UnitOfWork, proposal: Proposal) -> Mapping[str, Measure]:
        """Measure by path; empty for internal and for decided versions."""
        public = proposal.content.highest >= desk.policy.publish_from
        if not public or proposal.status not in (ProposalStatus.OPEN, ProposalStatus.RETURNED):
            return {}
        held = self._held.get(proposal.package_sha256)
        if held is None:
            draft = draft_of(desk, work, proposal.content, proposal.warning_id)
            held = {m.path: m for message in messages_of(desk, draft) for m in message.measures}
            self._held = {**dict(list(self._held.items())[-_KEPT:]), proposal.package_sha256: held}
        return held
