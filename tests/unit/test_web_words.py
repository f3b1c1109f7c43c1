"""The console's wording: the same sentences in both languages, every one that pages ask for, none left over."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from string import Formatter

import pytest

import geowarn
from geowarn import web
from geowarn.domain.level import Level
from geowarn.domain.warning import Act
from geowarn.resources import templates_dir
from geowarn.web.wording import Words, page_sentences, words_for

NOW = datetime(2026, 7, 22, 18, 14, 7, 450_000, tzinfo=UTC)


@pytest.fixture(params=["zh", "en"])
def words(request: pytest.FixtureRequest) -> Words:
    return words_for(request.param, "Asia/Shanghai", None)


def placeholders(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name}


def test_both_languages_say_the_same() -> None:
    chinese, english = page_sentences("zh"), page_sentences("en")
    assert set(chinese) == set(english)
    assert [key for key in chinese if placeholders(chinese[key]) != placeholders(english[key])] == []


def test_every_sentence_pages_ask_for_exists() -> None:
    known = page_sentences("en")
    for template in (templates_dir() / "console").glob("*.html.j2"):
        text = template.read_text("utf-8")
        asked = set(re.findall(r'\bw\("([a-z_.0-9-]+)"', text))
        assert {key for key in asked if not key.endswith((".", "_"))} <= set(known), template.name


def test_no_sentence_is_left_over() -> None:
    text = "".join(p.read_text("utf-8") for p in (templates_dir() / "console").glob("*.html.j2"))
    text += "".join(p.read_text("utf-8") for p in Path(web.__file__).parent.glob("*.py"))
    built = set(re.findall(r'"([a-z_]+(?:\.[a-z_0-9]+)*[._])" ~', text))
    built |= set(re.findall(r'"([a-z_]+(?:\.[a-z_0-9]+)*[._])\{', text))
    sections = {"time", "list", "kind", "tier", "late", "also", "rise", "outcome", "way", "part", "partnote"}
    for key in page_sentences("en"):
        spoken = f'"{key}"' in text or any(key.startswith(prefix) for prefix in built)
        computed = key.split(".")[0] in sections or f'"{key.rsplit("_", 1)[0]}' in text
        assert spoken or computed or key.split(".")[-1] in text, key


def test_every_level_and_act_has_its_words(words: Words) -> None:
    for level in Level:
        assert words.level(level)
    for act in Act:
        assert words(f"act.{act.value}")


def test_every_kind_of_ledger_entry_has_its_words(words: Words) -> None:
    code = "".join(path.read_text("utf-8") for path in Path(geowarn.__file__).parent.rglob("*.py"))
    about = "session|user|shift|forecast|assessment|warning|bulletin|task|dispatch|input|ledger|areas|recipients?"
    kinds = set(re.findall(rf'(?:append\(.*?|now, )"((?:{about})\.[a-z-]+)"', code))
    assert {"dispatch.results", "areas.imported", "bulletin.released"} <= kinds
    assert [kind for kind in sorted(kinds) if words.kind(kind) == kind] == []


def test_moments_are_local_and_never_the_minute_of_a_duration(words: Words) -> None:
    assert words.clock(NOW) == "02:14"
    assert words.clock_millis(NOW) == "02:14:07.4"
    assert "23" in words.day(NOW)
    assert ":" not in words.lasting(timedelta(minutes=6, seconds=42))


def test_facts_are_escaped_and_sentences_are_not() -> None:
    words = words_for("en", "Asia/Shanghai", None)
    said = words("review.why_person", reason="<script>", source="a & b")
    assert "<b>Why:</b> &lt;script&gt;" in said
    assert "a &amp; b" in said


def test_an_installation_may_reword(tmp_path_factory: pytest.TempPathFactory) -> None:
    own = tmp_path_factory.mktemp("own")
    (own / "console").mkdir()
    (own / "console" / "words.en.toml").write_text('[login]\nenter = "Come in"\n')
    words = words_for("en", "Asia/Shanghai", own)
    assert words("login.enter") == "Come in"
    assert words("login.name") == "Account"
