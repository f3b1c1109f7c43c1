"""The search on every kind of database: the same documents, the same order, whatever is asked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.contract.store_rows import NOON

from geowarn.domain.incident import Text
from geowarn.domain.search import Document, parse
from geowarn.pipeline.search import RESULTS, Answer, Asked, search
from geowarn.ports import Narrowed
from geowarn.store.unit_of_work import SqlStore

ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=90)
HOSTILE = [
    "\0", "'; DROP TABLE search_term; --", '"', "%", "_", "\\", "\ud800", "NOT OR AND *", "year:2026", "(((",
    "\U0010ffff", "\u202e栖霞", "' OR 1=1", "雨%", "qix_a", "NEAR(a b)", "栖霞\0黄色",
]  # fmt: skip


def page(key: str, chinese: str, english: str = "", **other: object) -> Document:
    made = Document(key, "page", key, f"{key}/", Text(key, key), Text(chinese, english), NOON)
    return replace(made, **other)  # type: ignore[arg-type]


def shelf() -> list[Document]:
    """A few pages whose order is known for every question below."""
    return [
        page("a", "栖霞市为黄色预警。", "Yellow warning for Qixia City.", facets=frozenset({"year:2026", "area:1"})),
        page("b", "黄色是三级里最低的。", "Yellow is the lowest.", facets=frozenset({"year:2025"})),
        page("c", "海阳市为红色预警，雨量很大。", "Red warning, heavy rain.", at=NOON - timedelta(days=400)),
        page(
            "d",
            "海阳市的红色预警已解除，雨停。",
            "The red warning is lifted.",
            family="c",
            facets=frozenset({"year:2026"}),
        ),
        page("e", "没有日期的说明：下雨天。", "Rainy days, of no date.", at=None),
        Document("area/1", "area", "area/1", "areas/1/", Text("栖霞市", "Qixia City"), Text("烟台市", "Yantai City")),
        Document("area/2", "area", "area/2", "areas/2/", Text("庄园街道", "Zhuangyuan"), Text("栖霞市", "Qixia City")),
    ]


def kept(store: SqlStore, documents: Iterable[Document]) -> int:
    with store.begin() as work:
        count = work.search.put(documents)
        work.commit()
    return count


def ask(store: SqlStore, text: str, **narrowed: object) -> Answer:
    return search(store, Asked(text, **narrowed), NOON)  # type: ignore[arg-type]


def told(answer: Answer) -> list[str]:
    return [result.document.key for result in answer.results]


QUESTIONS: dict[str, list[str]] = {
    "栖霞": ["a"],
    "黄色": ["a", "b"],
    "栖霞黄色": ["a"],
    "黄色 栖霞": ["a"],
    "海阳红色": ["d"],
    "雨": ["d", "e"],
    "雨量": ["c"],
    "QIXIA yellow WARNINGS": ["a"],
    "qix": ["a"],
    "rainy": ["e"],
    "泥石流": [],
    "栖霞9999": [],
    "c": ["c"],
}


def test_both_databases_give_the_same_pages_in_the_same_order(shared_store: SqlStore) -> None:
    kept(shared_store, shelf())
    assert {text: told(ask(shared_store, text)) for text in QUESTIONS} == QUESTIONS
    red = ask(shared_store, "海阳")
    assert ([[other.key for other in result.others] for result in red.results], red.total) == ([["c"]], 1)
    # Places stand apart, and are found by their own names.
    assert [one.key for one in ask(shared_store, "栖霞").places] == ["area/1"]
    assert [one.key for one in ask(shared_store, "栖霞庄园").places] == ["area/2"]
    assert ask(shared_store, "栖霞", year="2026").places == ask(shared_store, "黄色").places == ()
    # Only so many are compared, and what is of no date is among them.
    with shared_store.read() as work:
        found = work.search.candidates(parse("雨"), [0], Narrowed(("page",), (), 2))
    assert [one.key for one in found] == ["e", "d"]


def test_lists_are_narrowed_with_and_without_words_and_turned(shared_store: SqlStore) -> None:
    kept(shared_store, shelf())
    assert told(ask(shared_store, "黄色", year="2025")) == ["b"]
    assert told(ask(shared_store, "", year="2026")) == ["a", "d"]
    assert told(ask(shared_store, "", year="2026", area="1")) == ["a"]
    assert told(ask(shared_store, "黄色", year="2031")) == told(ask(shared_store, "")) == []
    with shared_store.read() as work:
        assert (work.search.facets("year"), work.search.facets("level")) == (("2025", "2026"), ())
    kept(shared_store, [page(f"p{n:02d}", "同样的话", at=NOON - timedelta(hours=n)) for n in range(RESULTS + 5)])
    first, second = ask(shared_store, "同样"), ask(shared_store, "同样", page=2)
    assert (first.total, first.pages, len(first.results)) == (RESULTS + 5, 2, RESULTS)
    assert told(second) == [f"p{n:02d}" for n in range(RESULTS, RESULTS + 5)]
    assert [ask(shared_store, "同样", page=page).asked.page for page in (900, 0, -1)] == [2, 1, 1]


def test_a_document_is_replaced_with_its_terms_and_dropped_with_them(shared_store: SqlStore) -> None:
    with shared_store.begin() as work:
        work.search.put(shelf())
    assert told(ask(shared_store, "栖霞")) == []  # nothing was committed
    assert [kept(shared_store, documents) for documents in (shelf(), shelf(), [page("a", "换了说法")])] == [7, 0, 1]
    assert (told(ask(shared_store, "栖霞")), told(ask(shared_store, "说法"))) == ([], ["a"])
    with shared_store.begin() as work:
        work.search.drop(["a", "b", "none"])
        work.commit()
    assert told(ask(shared_store, "说法")) == told(ask(shared_store, "黄色")) == []
    with shared_store.read() as work:
        assert work.search.keys("page") == {"c", "d", "e"}
        assert work.search.collection(parse("黄色")).frequencies == (0,)


@given(text=ANY_TEXT)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_is_answered_and_none_is_an_order_to_the_database(shared_store: SqlStore, text: str) -> None:
    with shared_store.read() as work:
        empty = not work.search.keys("page")
    if empty:
        kept(shared_store, shelf())
        for hostile in HOSTILE:
            ask(shared_store, hostile, year=hostile, area=hostile).query.typed.encode()
        for sign in ("%", "_", "*", "\0", "''", "year:", "\ud800"):
            assert told(ask(shared_store, sign)) == [], sign
    answer = ask(shared_store, text)
    assert answer.total == len(answer.results) <= len(shelf())
    assert ask(shared_store, text) == answer
    assert told(ask(shared_store, "栖霞")) == ["a"]
