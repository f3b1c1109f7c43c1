"""Sentences for refusals and screens: `templates/messages/<part>.<language>.toml`, one table of keys a file."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from functools import cache

from geowarn.domain.errors import Refused
from geowarn.resources import templates_dir

LANGUAGES = ("zh", "en")


@cache
def sentences(language: str) -> Mapping[str, str]:
    """Every sentence of one language by its full key `<part>.<name>`."""
    found: dict[str, str] = {}
    for path in sorted((templates_dir() / "messages").glob(f"*.{language}.toml")):
        part = path.name.split(".")[0]
        found |= {f"{part}.{key}": text for key, text in tomllib.loads(path.read_text("utf-8")).items()}
    return found


def say(key: str, language: str, /, **facts: object) -> str:
    """The sentence for `key` with its facts filled in; raises KeyError for a key or fact it does not know."""
    return sentences(language)[key].format(**facts)


def explain(refusal: Refused, language: str) -> str:
    """A refusal as one line for a person; a fact that is a refusal itself is said in the same language.

    A third party's own key brings its sentence as the facts `zh` and `en`.
    """
    told = {name: _told(fact, language) for name, fact in refusal.facts.items()}
    if refusal.key not in sentences(language):
        return " ".join(str(told.get(language) or refusal).split())
    return " ".join(say(refusal.key, language, **told).split())


def _told(fact: object, language: str) -> object:
    """A fact as a sentence takes it; a refusal may have been kept as `Refused.kept` does."""
    if isinstance(fact, Mapping) and set(fact) == {"key", "facts"}:
        fact = Refused(fact["key"], **fact["facts"])
    return explain(fact, language) if isinstance(fact, Refused) else fact


def terminal_language() -> str:
    """`zh` where the terminal speaks Chinese, else `en`; GEOWARN_LANG decides when set."""
    chosen = os.environ.get("GEOWARN_LANG") or os.environ.get("LC_ALL") or os.environ.get("LANG") or ""
    return "zh" if chosen.lower().startswith("zh") else "en"
