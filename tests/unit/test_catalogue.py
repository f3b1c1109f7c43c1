"""The code and the sentences agree: every refusal can be said, in both languages, with the facts it is given."""

from __future__ import annotations

import ast
import re
import string
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import geowarn
import geowarn_channels
from geowarn.catalogue import LANGUAGES, explain, sentences
from geowarn.domain.errors import Refused
from geowarn.resources import templates_dir

KEY = re.compile(r"[a-z][a-z0-9-]*\.[a-z][a-z0-9-]*")
REFUSALS = {"Refused", "NotFound"}


@dataclass(frozen=True)
class Use:
    """One place where the code names a sentence; `facts` is None where they are only known at run time."""

    where: str
    key: str
    facts: frozenset[str] | None


def placeholders(text: str) -> set[str]:
    return {re.split(r"[.\[]", name)[0] for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@cache
def modules() -> Mapping[str, ast.Module]:
    roots = [Path(str(package.__file__)).parent for package in (geowarn, geowarn_channels)]
    return {
        f"{root.name}/{path.relative_to(root)}": ast.parse(path.read_text("utf-8"))
        for root in roots
        for path in sorted(root.rglob("*.py"))
    }


def called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def literal(node: ast.expr | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def given(keywords: Iterable[ast.keyword]) -> frozenset[str] | None:
    names = [keyword.arg for keyword in keywords]
    return None if None in names else frozenset(name for name in names if name)


def written_out(mapping: ast.expr) -> frozenset[str] | None:
    if not isinstance(mapping, ast.Dict):
        return None
    names = [literal(key) for key in mapping.keys]
    return None if None in names else frozenset(name for name in names if name)


def uses(where: str, tree: ast.Module) -> Iterator[Use]:
    """Refusals and problems whose key stands in the code."""
    for node in ast.walk(tree):
        place = f"{where}:{getattr(node, 'lineno', 0)}"
        if isinstance(node, ast.Call) and called(node) in REFUSALS and node.args and (key := literal(node.args[0])):
            yield Use(place, key, given(node.keywords))
        elif isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and node.exc.args:
            key = literal(node.exc.args[0])
            if key and KEY.fullmatch(key) and called(node.exc) not in REFUSALS:
                yield Use(place, key, None)
        elif isinstance(node, ast.Tuple) and len(node.elts) == 2 and isinstance(node.elts[1], ast.Dict):
            key = literal(node.elts[0])
            if key and KEY.fullmatch(key):
                yield Use(place, key, written_out(node.elts[1]))


def every_use() -> list[Use]:
    return [use for where, tree in modules().items() for use in uses(where, tree)]


def named_in_code() -> set[str]:
    """Every string constant, and every key that an f-string such as f"ledger.bad-{what}" can make."""
    constants: set[str] = set()
    patterns: list[re.Pattern[str]] = []
    for tree in modules().values():
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                constants.add(node.value)
            elif isinstance(node, ast.JoinedStr) and "." in (literal(node.values[0]) or ""):
                parts = [re.escape(text) if (text := literal(value)) is not None else ".+" for value in node.values]
                patterns.append(re.compile("".join(parts)))
    return constants | {key for key in sentences("en") if any(p.fullmatch(key) for p in patterns)}


def flat(table: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in table.items():
        found |= flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: str(value)}
    return found


def test_the_scan_finds_refusals() -> None:
    """Guards the guard: an empty scan would pass everything below."""
    assert len([use for use in every_use() if use.facts]) > 20


def test_every_refusal_has_a_sentence() -> None:
    missing = [
        f"{use.where} {use.key} ({lang})" for use in every_use() for lang in LANGUAGES if use.key not in sentences(lang)
    ]
    assert not missing


def test_every_placeholder_is_given() -> None:
    lacking = [
        f"{use.where} {use.key} lacks {sorted(absent)}"
        for use in every_use()
        if use.facts is not None and use.key in sentences("en")
        if (absent := placeholders(sentences("en")[use.key]) - use.facts)
    ]
    assert not lacking


def test_no_sentence_is_an_orphan() -> None:
    in_templates = "\n".join(path.read_text("utf-8") for path in templates_dir().rglob("*.j2"))
    assert not [key for key in sorted(set(sentences("en")) - named_in_code()) if f"{key}'" not in in_templates]


@pytest.mark.parametrize("english", sorted(templates_dir().rglob("*.en.toml")), ids=lambda path: path.stem)
def test_both_languages_say_the_same(english: Path) -> None:
    chinese = english.with_name(english.name.replace(".en.", ".zh."))
    both = [flat(tomllib.loads(path.read_text("utf-8"))) for path in (english, chinese)]
    assert set(both[0]) == set(both[1])
    if english.parent.name != "bulletin":  # "and 3 others" is "等4个": bulletins count as their language does
        assert not {key for key in both[0] if placeholders(both[0][key]) != placeholders(both[1][key])}


def test_every_catalogue_has_its_chinese_and_its_english() -> None:
    names = {path.relative_to(templates_dir()).as_posix() for path in templates_dir().rglob("*.*.toml")}
    swapped = {name.replace(".en.", ".~.").replace(".zh.", ".en.").replace(".~.", ".zh.") for name in names}
    assert names == swapped


def test_a_chinese_refusal_is_chinese() -> None:
    assert not [key for key, text in sentences("zh").items() if not re.search(r"[\u4e00-\u9fff]", text)]


def test_a_refusal_is_one_line() -> None:
    for language in LANGUAGES:
        line = explain(Refused("config.unreadable", file="geowarn.toml", reason="line 3\ncolumn 4"), language)
        assert "\n" not in line
        assert "geowarn.toml" in line
