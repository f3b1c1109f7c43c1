"""Terms, queries, order and snippets: two characters are enough, and nothing that is typed is an operator."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geowarn.domain.incident import Text
from geowarn.domain.search import LONGEST_QUERY, Document, Sought, Weight, document_from_json, parse, weights
from geowarn.domain.search_rank import Candidate, Collection, rank
from geowarn.domain.search_snippet import WIDTH, Piece, marked, snippet
from geowarn.domain.search_terms import counted, stem, tokens

NOW = datetime(2026, 7, 23, 4, 0, tzinfo=UTC)
ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=200)


def terms(text: str) -> list[str]:
    return [token.term for token in tokens(text)]


def shown(pieces: tuple[Piece, ...]) -> str:
    return "".join(f"[{piece.text}]" if piece.hit else piece.text for piece in pieces)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("栖霞市", ["栖霞", "霞市", "市"]),
        ("Qixia Warnings, 12h", ["qixia", "warning", "12h"]),
        ("烟地灾预警〔2026〕12号", ["烟地", "地灾", "灾预", "预警", "警", "2026", "12", "号"]),
        ("ＱＩＸＩＡ１２ ㎜ Ⅲ", ["qixia12", "mm", "iii"]),
        ("Lüshan café", ["lushan", "cafe"]),
        ("海\u200b阳", ["海阳", "阳"]),
        ("5mm雨量", ["5mm", "雨量", "量"]),
        ("二〇二六年々", ["二〇", "〇二", "二六", "六年", "年々", "々"]),
        ("\U00020000\U00020001", ["\U00020000\U00020001", "\U00020001"]),
        ("!?%_'\"\\\0", []),
    ],
)
def test_text_becomes_terms(text: str, found: list[str]) -> None:
    assert terms(text) == found


@pytest.mark.parametrize(
    ("word", "one"),
    [("cities", "city"), ("slopes", "slope"), ("warnings", "warning"), ("gas", "gas"), ("mass", "mass"),
     ("status", "status"), ("trees", "tree"), ("shoes", "shoe"), ("café", "café")],
)  # fmt: skip
def test_plurals_are_found_by_the_singular(word: str, one: str) -> None:
    assert stem(word) == one


def test_a_query_of_two_characters_asks_for_their_pair_and_of_one_for_its_beginning() -> None:
    assert parse("栖霞").sought == (Sought("栖霞"),)
    assert parse("雨").sought == (Sought("雨", beginning=True),)
    assert parse("red  Warnings").sought == (Sought("red"), Sought("warning"))
    assert parse("栖霞黄色").units == (frozenset({0}), frozenset({0, 1}), frozenset({1, 2}), frozenset({2}))


def test_words_that_only_join_need_not_be_there() -> None:
    assert len(parse("栖霞的预警").units) == 4
    assert [sorted(unit) for unit in parse("the risk in Qixia").units] == [[1], [3]]
    assert parse("the").units == (frozenset({0}),)


def test_a_long_line_is_cut_and_says_so() -> None:
    query = parse("预" * (LONGEST_QUERY + 1))
    assert query.shortened
    assert len(query.typed) == LONGEST_QUERY
    assert not parse("预" * LONGEST_QUERY).shortened


@given(ANY_TEXT)
@settings(max_examples=120, deadline=None)
def test_any_text_makes_a_query_and_what_it_seeks_is_found_in_itself(text: str) -> None:
    query = parse(text)
    query.typed.encode()  # no half characters are left
    assert len(query.typed) <= LONGEST_QUERY
    held = counted(query.typed)
    assert held == Counter(terms(query.typed))
    assert all(any(one.fits(term) for term in held) for one in query.sought)
    assert all(term and all(letter.isalnum() for letter in term) for term in held)
    assert len({unit for unit in query.units}) == len(query.units)


@given(ANY_TEXT, ANY_TEXT)
@settings(max_examples=80, deadline=None)
def test_marking_changes_no_character_and_a_snippet_keeps_its_width(text: str, typed: str) -> None:
    query = parse(typed)
    assert "".join(piece.text for piece in marked(text, query)) == text
    assert len("".join(piece.text for piece in snippet(text, query))) <= WIDTH + 2


def document(number: int, **other: object) -> Document:
    made = Document(
        f"bulletin/{number}", "bulletin", f"w-{number}", f"w/{number}/", Text("烟台市发布黄色预警", "Yellow warning"),
        Text("栖霞市风险较高。", "The risk is elevated in Qixia City."), NOW, facets=frozenset({"year:2026"}),
        facts={"slug": f"2026-{number:03d}"},
    )  # fmt: skip
    return replace(made, **other)  # type: ignore[arg-type]


def test_a_document_reads_back_as_written_and_its_digest_covers_everything() -> None:
    made = document(1, called="1号", also="二〇二六", synthetic=True)
    read = document_from_json(made.key, made.kind, made.family, made.at, json.loads(json.dumps(made.as_json())))
    assert read == made
    changed = [document(1), replace(made, at=None), replace(made, also=""), replace(made, family="w-2")]
    assert len({made.digest, *(one.digest for one in changed)}) == 5


def test_a_term_in_the_title_weighs_more_and_facets_weigh_nothing() -> None:
    found = weights(document(1))
    assert found["黄色"] == Weight(1, 0)
    assert found["栖霞"] == Weight(0, 1)
    assert found[":year:2026"] == Weight(0, 0)


def candidate(number: int, *hits: int, days: float = 0, **other: object) -> Candidate:
    made = Candidate(number, f"k/{number}", f"f-{number}", NOW - timedelta(days=days), 100, {})
    return replace(made, hits={place: Weight(0, 1) for place in hits}, **other)  # type: ignore[arg-type]


def order(query: str, *found: Candidate, frequencies: tuple[int, ...]) -> list[int]:
    ranking = rank(parse(query), found, Collection(100, 10_000, frequencies), NOW)
    return [one.best.number for one in ranking.found]


def test_who_holds_all_comes_alone_and_pairs_may_stand_apart() -> None:
    whole, half = candidate(1, 0, 2), candidate(2, 0)
    assert order("栖霞黄色", half, whole, frequencies=(5, 0, 50)) == [1]


def test_where_none_holds_all_the_rare_word_decides_who_is_shown() -> None:
    rare, common = candidate(1, 0), candidate(2, 1)
    ranking = rank(parse("栖霞 预警"), (rare, common), Collection(100, 10_000, (2, 99)), NOW)
    assert [one.best.number for one in ranking.found] == [1]
    assert ranking.partly


def test_a_number_that_nothing_bears_finds_nothing() -> None:
    assert order("4711号", candidate(1, 1), frequencies=(0, 99)) == []


def test_title_then_newest_then_key() -> None:
    titled = replace(candidate(1, days=900), hits={0: Weight(1, 0)})
    old, new = candidate(2, 0, days=400), candidate(3, 0, days=1)
    twin = replace(new, number=4, key="k/4", family="f-4")
    assert order("栖霞", old, twin, new, titled, frequencies=(4,)) == [1, 3, 4, 2]
    assert order("", replace(old, hits={}), replace(new, hits={}), frequencies=()) == [3, 2]


def test_pages_of_one_course_of_events_are_one_result_led_by_the_newest() -> None:
    first, second = candidate(1, 0, days=2, family="w-1"), candidate(2, 0, days=1, family="w-1")
    ranking = rank(parse("栖霞"), (first, second), Collection(10, 1000, (2,)), NOW)
    assert [(one.best.number, [other.number for other in one.others]) for one in ranking.found] == [(2, [1])]


def test_what_was_looked_for_is_marked_in_its_own_writing() -> None:
    assert (
        shown(marked("Yellow ＷＡＲＮＩＮＧＳ for Qixia", parse("warning QIXIA")))
        == "Yellow [ＷＡＲＮＩＮＧＳ] for [Qixia]"
    )
    assert shown(marked("雨量大，暴雨", parse("雨"))) == "[雨]量大，暴[雨]"
    assert shown(marked("栖霞黄色预警", parse("栖霞 黄色"))) == "[栖霞黄色]预警"


def test_a_snippet_shows_where_it_was_found_from_a_sentence_on() -> None:
    text = "前文。" * 60 + "此处说明。栖霞市风险较高。" + "后文。" * 60
    assert shown(snippet(text, parse("栖霞"), 40)) == "…[栖霞]市风险较高。后文。后文。后文。后文。…"
    english = "word " * 80 + "the slope at Qixia slid and the road is closed for now"
    assert shown(snippet(english, parse("qixia"), 60)).startswith("…")
    assert "[Qixia]" in shown(snippet(english, parse("qixia"), 60))


def test_a_snippet_prefers_the_stretch_that_holds_most() -> None:
    text = "黄色。" + "无关的话。" * 40 + "栖霞市为黄色。" + "无关的话。" * 40
    assert "[栖霞]市为[黄色]" in shown(snippet(text, parse("栖霞 黄色"), 40))


def test_lines_follow_each_other_with_a_space_only_where_there_are_spaces() -> None:
    assert shown(snippet("第一行。\n第二行", parse("x"))) == "第一行。第二行"
    assert shown(snippet("One.\nTwo.", parse("x"))) == "One. Two."
