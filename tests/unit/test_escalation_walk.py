"""A chain worked out from times alone: never silent, never backwards, the same however often somebody looks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from geowarn.domain.clock import OnSilence
from geowarn.domain.escalation import Answer, Pass, Post, next_begin, release_first_bars, walk
from geowarn.domain.level import Level
from geowarn.domain.warning import Act, AreaLevel, Content, Series

NOON = datetime(2026, 7, 23, 4, tzinfo=UTC)
NAMES = [f"p{number}" for number in range(6)]
MINUTE = timedelta(minutes=1)


def a_pass(posts: tuple[Post, ...], window: int = 3, decide: int = 10) -> Pass:
    return Pass(
        "e", "t", "review", "w", "duty-officer", 1, Level.RED, posts, (), None, NOON, window * MINUTE,
        NOON + decide * MINUTE, OnSilence.TASK,
    )  # fmt: skip


@st.composite
def chains(draw: st.DrawFn) -> Pass:
    people = draw(st.lists(st.sampled_from(NAMES), unique=True, min_size=1, max_size=6))
    cuts = sorted(draw(st.sets(st.integers(1, max(1, len(people) - 1)), max_size=4)) - {len(people)})
    parts = [people[a:b] for a, b in zip([0, *cuts], [*cuts, len(people)], strict=True)]
    posts = tuple(Post(f"post-{n}", tuple(part)) for n, part in enumerate(parts) if part)
    return a_pass(posts, draw(st.integers(1, 20)), draw(st.integers(1, 90)))


moments = st.integers(0, 4 * 3600).map(lambda seconds: NOON + timedelta(seconds=seconds))
answered = st.lists(st.builds(Answer, st.sampled_from(NAMES), moments), max_size=8)


@given(chains(), answered, moments)
def test_it_always_rings_or_is_in_somebodys_hands(one: Pass, answers: list[Answer], now: datetime) -> None:
    found = walk(one, answers, now)
    assert found.rings
    assert found.over or found.until > now
    assert found.over == (found.until <= now)
    if found.over:
        assert [ring.post for ring in found.rings] == list(one.posts), "over only when the whole chain has had its time"
    elif found.holder:
        assert any(a.person == found.holder and a.at <= now for a in answers)
    else:
        assert now < found.rings[-1].due + one.window or found.until <= one.decide_by or found.holder


@given(chains(), answered, moments, moments)
def test_it_never_goes_backwards(one: Pass, answers: list[Answer], first: datetime, second: datetime) -> None:
    early, late = sorted((first, second))
    before, after = walk(one, answers, early), walk(one, answers, late)
    assert after.rings[: len(before.rings)] == before.rings, "a ring once due stays due"
    assert after.until >= before.until
    assert not (before.over and not after.over)


@given(chains(), answered, moments)
def test_an_answer_never_brings_a_ring_forward(one: Pass, answers: list[Answer], now: datetime) -> None:
    silent, heard = walk(one, (), now), walk(one, answers, now)
    assert len(heard.rings) <= len(silent.rings)
    assert all(a.due >= b.due for a, b in zip(heard.rings, silent.rings, strict=False))


@given(chains(), answered)
def test_it_ends_however_often_people_answer(one: Pass, answers: list[Answer]) -> None:
    """Each person counts once for each ring, so that nobody can hold the chain for ever."""
    longest = len(one.posts) * (max(one.decide_by - NOON, timedelta()) + (len(NAMES) + 2) * one.window)
    assert walk(one, answers, NOON + longest + timedelta(hours=5)).over


@given(chains(), moments)
def test_without_an_answer_each_post_rings_for_its_window(one: Pass, now: datetime) -> None:
    found = walk(one, (), now)
    assert [ring.due for ring in found.rings] == [NOON + n * one.window for n in range(len(found.rings))]
    assert len(found.rings) == min(len(one.posts), (now - NOON) // one.window + 1)


@given(chains(), st.integers(0, 200), st.data())
def test_an_answer_keeps_the_decision_deadline(one: Pass, seconds: int, data: st.DataObject) -> None:
    at = NOON + timedelta(seconds=min(seconds, one.window.total_seconds() - 1))
    found = walk(one, [Answer(data.draw(st.sampled_from(NAMES)), at)], at)
    assert found.until == max(one.decide_by, at + one.window)


def test_who_takes_it_over_has_time_too_and_nobody_holds_it_twice() -> None:
    one = a_pass((Post("duty-officer", ("a",)), Post("deputy", ("b",))))
    first, late = Answer("a", NOON + MINUTE), Answer("b", NOON + 9 * MINUTE)
    assert walk(one, [first], NOON + 9 * MINUTE).until == NOON + 10 * MINUTE
    taken = walk(one, [first, late, Answer("a", NOON + 11 * MINUTE)], NOON + 11 * MINUTE)
    assert (taken.holder, taken.until) == ("b", NOON + 12 * MINUTE)
    assert walk(one, [first, late], NOON + 12 * MINUTE).ringing.name == "deputy"


@dataclass
class Ticker:
    """The passes of a task that nobody answers, kept as the use case keeps them."""

    one: Pass
    again: timedelta

    def tick(self, now: datetime) -> None:
        standing = walk(self.one, (), now)
        if standing.over:
            missed, began = next_begin(standing.until, len(self.one.posts) * self.again, now)
            number = self.one.number + 1 + missed
            self.one = replace(self.one, number=number, started_at=began, window=self.again)


@given(chains(), st.integers(1, 60), st.lists(moments, max_size=30), moments)
def test_where_it_stands_does_not_depend_on_the_ticks(
    one: Pass, again: int, ticks: list[datetime], end: datetime
) -> None:
    often, seldom = Ticker(one, again * MINUTE), Ticker(one, again * MINUTE)
    for now in sorted(tick for tick in ticks if tick < end):
        often.tick(now)
    for each in (often, seldom):
        each.tick(end)
    assert often.one == seldom.one
    assert walk(often.one, (), end).rings
    assert not walk(often.one, (), end).over


def content(act: Act, level: Level, before: Level, series: Series = Series.REAL) -> Content:
    areas = (AreaLevel("1", level, before),)
    return Content(act, series, areas, NOON, NOON + timedelta(hours=24), NOON + timedelta(hours=2))


@given(st.sampled_from(list(Act)), st.sampled_from(list(Level)), st.sampled_from(list(Level)), st.sampled_from(Series))
def test_silence_never_lowers_lifts_or_plays(act: Act, level: Level, before: Level, series: Series) -> None:
    allowed = (OnSilence.RELEASE_FIRST, OnSilence.RELEASE_FIRST)
    bars = release_first_bars(content(act, level, before, series), *allowed, False, False, False)
    rises = act in (Act.ISSUE, Act.UPDATE, Act.EXTEND) and level >= before and series is Series.REAL
    assert (not bars) == rises


@given(st.sampled_from(OnSilence), st.sampled_from(OnSilence))
def test_silence_releases_only_while_the_policy_lets_it(began: OnSilence, present: OnSilence) -> None:
    bars = release_first_bars(content(Act.ISSUE, Level.RED, Level.NONE), began, present, False, False, False)
    assert (not bars) == (began is present is OnSilence.RELEASE_FIRST)
    assert set(bars) <= {"policy"}


def test_every_bar_is_named() -> None:
    silent = (OnSilence.TASK, OnSilence.TASK)
    given_all = release_first_bars(content(Act.LIFT, Level.RED, Level.RED), *silent, True, True, True)
    assert given_all == ("policy", "lowers", "returned", "one-person", "not-rung")
