"""Whether a public text can be understood and acted on: rules as data, findings with the words that caused them.

A warning must name place, time, danger, one action and the issuer (what users of peers ask for: a text that says what
will happen here and what to do, not millimetres).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# In the order in which findings are shown: what is missing first.
RULES = (
    "place", "time", "danger", "action", "issuer",
    "one-action", "jargon", "millimetres", "address", "number", "sentence",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class LintText:
    """One public text; `kind` is sms, crawl, title, script, notice or action; `closing`: it ends a warning."""

    path: str
    kind: str
    language: str
    text: str
    closing: bool = False


@dataclass(frozen=True, slots=True)
class LintFacts:
    """What this installation's texts may be recognised by, in one language; labels are left out of the reading."""

    places: tuple[str, ...]
    issuers: tuple[str, ...]
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LintRules:
    """The rules of one language as they stand in `templates/lint/<language>.toml`."""

    applies: Mapping[str, tuple[str, ...]]  # kind → rules
    patterns: Mapping[str, tuple[str, ...]]  # rule → regular expressions
    jargon: Mapping[str, str]  # word → the plain word for it
    longest: Mapping[str, int]  # kind → characters (zh) or words (en) of one sentence
    ends: str  # regular expression between two sentences
    by_words: bool
    one_action: int  # sentences an action may have
    action_length: int  # characters


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a reader would stumble over; `facts` fill the sentence `lint.<rule>`."""

    rule: str
    path: str
    language: str
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The catalogue's key of its sentence."""
        return f"lint.{self.rule}"


def lint(text: LintText, facts: LintFacts, rules: LintRules) -> tuple[Finding, ...]:
    """Everything that is wrong with one text, in the order of RULES."""
    read = text.text
    for label in facts.labels:
        read = read.replace(label, "")
    applied = rules.applies.get(text.kind, ())
    return tuple(
        Finding(rule, text.path, text.language, more)
        for rule in RULES
        if rule in applied
        for more in _faults(rule, text, read, facts, rules)
    )


def _faults(rule: str, text: LintText, read: str, facts: LintFacts, rules: LintRules) -> list[dict[str, Any]]:
    match rule:
        case "place":
            if any(_read_out(name, read) for name in facts.places):
                return []
            return _absent(facts.places, rules.patterns.get("place", ()), read)
        case "issuer":
            return _absent(facts.issuers, (), text.text)
        case "time":
            return [] if text.closing else _absent((), rules.patterns["time"], read)
        case "danger" | "action":
            return _absent((), rules.patterns[rule], read)
        case "one-action":
            return _actions(text.text, rules)
        case "jargon":
            return [{"word": word, "plain": plain} for word, plain in rules.jargon.items() if _says(word, read)]
        case "sentence":
            return _sentences(text.kind, read, rules)
        case _:
            key = f"{rule}.{text.kind}"
            return _present(rules.patterns.get(key, rules.patterns.get(rule, ())), read)


def _says(word: str, text: str) -> bool:
    """Whether the word stands there; a Latin one as a whole word, in any case unless it is all capitals."""
    if not word.isascii():
        return word in text
    flags = re.NOFLAG if word.isupper() else re.IGNORECASE
    return re.search(rf"(?<![A-Za-z]){re.escape(word)}(?![A-Za-z])", text, flags) is not None


def _read_out(name: str, text: str) -> bool:
    """Whether a name with a number stands there with its number in words, as a script for a presenter says it."""
    parts = re.split(r"[0-9]+", name)
    if len(parts) == 1 or not "".join(parts).strip() or not all(part in text for part in parts):
        return False
    return re.search(".{1,60}?".join(re.escape(part) for part in parts), text) is not None


def _absent(words: tuple[str, ...], patterns: tuple[str, ...], text: str) -> list[dict[str, Any]]:
    found = any(word and word in text for word in words) or any(re.search(p, text, re.IGNORECASE) for p in patterns)
    return [] if found else [{}]


def _present(patterns: tuple[str, ...], text: str) -> list[dict[str, Any]]:
    hits = [found.group() for pattern in patterns for found in re.finditer(pattern, text, re.IGNORECASE)]
    return [{"word": hits[0].strip()[:40]}] if hits else []


def _parts(text: str, rules: LintRules) -> list[str]:
    return [part.strip() for part in re.split(rules.ends, text) if part.strip()]


def _actions(text: str, rules: LintRules) -> list[dict[str, Any]]:
    many = len(_parts(text, rules)) > rules.one_action
    return [{"longest": rules.action_length}] if many or len(text) > rules.action_length else []


def _sentences(kind: str, text: str, rules: LintRules) -> list[dict[str, Any]]:
    longest = rules.longest.get(kind)
    if longest is None:
        return []
    sized = [
        (len(part.split()) if rules.by_words else len(part), number, part)
        for number, part in enumerate(_parts(text, rules), 1)
    ]
    size, number, _ = max(sized, default=(0, 0, ""))
    return [{"number": number, "size": size, "longest": longest}] if size > longest else []
