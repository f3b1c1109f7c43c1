"""A package's public texts → what the linter finds in them."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from xml.etree import ElementTree

from geowarn.domain.area import Area, AreaKind
from geowarn.domain.lint import RULES, Finding, LintFacts, LintRules, LintText, lint
from geowarn.domain.package import Artefact, Package
from geowarn.domain.policy import Policy
from geowarn.domain.warning import Act, Content
from geowarn.ports import Templates

LANGUAGES = ("zh", "en")
_CLOSING = frozenset({Act.LIFT, Act.CANCEL, Act.RETRACT})
_AIRED = ("crawl", "title", "script")
_CAP = "{urn:oasis:names:tc:emergency:cap:1.2}"


def load_lint_rules(templates: Templates) -> dict[str, LintRules]:
    """The rules by language, from `templates/lint/`."""
    return {language: _rules(tomllib.loads(templates.render(f"lint/{language}.toml"))) for language in LANGUAGES}


def _rules(table: Mapping[str, Any]) -> LintRules:
    return LintRules(
        applies={kind: tuple(rules) for kind, rules in table["applies"].items()},
        patterns={rule: tuple(patterns) for rule, patterns in table["patterns"].items()},
        jargon=dict(table["jargon"]),
        longest=dict(table["longest"]),
        ends=str(table["sentence"]["ends"]),
        by_words=bool(table["sentence"]["by_words"]),
        one_action=int(table["action"]["sentences"]),
        action_length=int(table["action"]["characters"]),
    )


def public_texts(package: Package, content: Content) -> tuple[LintText, ...]:
    """Every text that people read or hear, and the slots that a person may have written."""
    closing = content.act in _CLOSING
    found = [text for artefact in package.artefacts for text in _texts(artefact, closing)]
    if package.artefacts and not closing:
        found += [_slot(name, text) for name, text in content.slots.items() if name.split(".")[1] in _levels(content)]
    return tuple(found)


def _levels(content: Content) -> set[str]:
    return {area.level.code for area in content.areas}


def _slot(name: str, text: str) -> LintText:
    return LintText(f"slot/{name}", "action", name.rsplit(".", 1)[1], text)


def _texts(artefact: Artefact, closing: bool) -> Iterator[LintText]:
    path = artefact.path
    if path.startswith("sms/"):
        ends = closing or path.startswith("sms/ended.")
        yield LintText(path, "sms", path.split(".")[-2], artefact.body.decode(), ends)
    elif path.startswith("broadcast/") and path.endswith(".json"):
        item = json.loads(artefact.body)
        for kind in _AIRED:
            for language, text in item.get(kind, {}).items():
                yield LintText(f"{path}#{kind}.{language}", kind, language, str(text), closing)
    elif path.endswith(".xml") and b"urn:oasis:names:tc:emergency:cap:1.2" in artefact.body[:400]:
        yield from _notices(path, artefact.body, closing)


def _notices(path: str, body: bytes, closing: bool) -> Iterator[LintText]:
    alert = ElementTree.fromstring(body)  # noqa: S314 - rendered by our own templates
    ends = closing or alert.findtext(f"{_CAP}msgType") == "Cancel"
    for info in alert.iter(f"{_CAP}info"):
        language = "zh" if (info.findtext(f"{_CAP}language") or "zh").startswith("zh") else "en"
        said = [
            info.findtext(f"{_CAP}{name}") or "" for name in ("senderName", "headline", "description", "instruction")
        ]
        yield LintText(f"{path}#{language}", "notice", language, "\n".join(said), ends)


def lint_facts(
    facts: Mapping[str, Mapping[str, Any]], areas: Iterable[Area], templates: Templates
) -> dict[str, LintFacts]:
    """By language: names of areas, the offices, and the fixed labels that are no part of a text.

    The whole city is no place that tells anyone whether to leave; its name stands in the office's anyway.
    """
    known = [area for area in areas if area.kind is not AreaKind.CITY]
    return {language: _facts(facts, known, templates, language) for language in LANGUAGES}


def _facts(
    facts: Mapping[str, Mapping[str, Any]], areas: Iterable[Area], templates: Templates, language: str
) -> LintFacts:
    names = [area.name(language) for area in areas]
    issuer, known = facts["issuer"], tomllib.loads(templates.render(f"bulletin/words.{language}.toml"))
    offices = [str(value) for key, value in issuer.items() if key.endswith(f"_{language}") and "tv" not in key]
    labels = [str(known[key]) for key in ("synthetic", "synthetic_short", "synthetic_spoken", "uncalibrated")]
    short = [re.sub(r"[市县区]$", "", name) for name in names if len(name) > 2] if language == "zh" else []
    return LintFacts(
        places=(*names, *short),
        issuers=(*offices, str(facts["sms"][f"signature_{language}"])),
        labels=tuple(sorted(labels, key=len, reverse=True)),
    )


class Linter:
    """Reads a package's texts with the rules of every language."""

    def __init__(self, templates: Templates, facts: Mapping[str, Mapping[str, Any]]) -> None:
        self._templates, self._facts = templates, facts
        self._rules = load_lint_rules(templates)

    def of(self, package: Package, content: Content, areas: Iterable[Area]) -> tuple[Finding, ...]:
        """Every finding in the texts of this package; none for what stays internal."""
        known = lint_facts(self._facts, areas, self._templates)
        found = [
            finding
            for text in public_texts(package, content)
            if text.language in self._rules
            for finding in lint(text, known[text.language], self._rules[text.language])
        ]
        return tuple(sorted(found, key=lambda finding: RULES.index(finding.rule)))


def blocking(policy: Policy, findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Those that the policy lets nobody sign over."""
    return tuple(finding for finding in findings if finding.rule in policy.review.lint_blocks)
