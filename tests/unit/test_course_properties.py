"""House rule 1 as properties: nothing is lowered without data, nothing flaps, arrival in any order ends the same."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.unit.course_runs import AREAS, GAP, TOWN, YELLOW, A, B, after, decided, held, hour, run

from geowarn.domain.area import effective
from geowarn.domain.course import Decision, Held, Way
from geowarn.domain.level import Level
from geowarn.domain.votes import CourseRules, Run, Say, rank

CODES = (A, B, TOWN)
SOURCES = ("ecmwf", "gfs", "local")
LEVELS = st.sampled_from([Level.NONE, Level.YELLOW, Level.ORANGE])
WORDS = st.one_of(LEVELS, LEVELS, st.sampled_from([GAP, "blue?", "orange?", Level.RED, Level.BLUE]))
SAYS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries({A: WORDS, TOWN: WORDS}, optional={B: WORDS})
RULES = st.builds(
    CourseRules,
    persistence_hours=st.sampled_from([0.0, 0.0, 3.0]),
    sources=st.permutations(SOURCES).flatmap(lambda names: st.sampled_from([(), tuple(names[:1]), tuple(names)])),
)
# The second area keeps the course public, so that the first may fall.
HELD = st.builds(
    lambda level, until, more: held({A: level, B: Level.RED, **more}, until),
    st.sampled_from([Level.YELLOW, Level.ORANGE, Level.RED]),
    st.integers(20, 60),
    st.dictionaries(st.just(TOWN), st.just(Level.RED)),
)


@st.composite
def some_runs(draw: st.DrawFn, most: int = 7) -> list[Run]:
    """Runs every three hours, mostly of one source; the first reaches what is held."""
    sources = draw(st.sampled_from([SOURCES[:1], SOURCES[:1], SOURCES[:2], SOURCES]))
    times = draw(st.lists(st.tuples(st.integers(1, 6), st.sampled_from(sources)), unique=True, max_size=most))
    first = run(0, {A: draw(st.sampled_from([Level.YELLOW, Level.ORANGE, Level.RED])), TOWN: draw(LEVELS)}, sources[0])
    return [first, *(run(3 * step, draw(SAYS), source) for step, source in times)]


def level_after(have: Held, decision: Decision, code: str) -> Level:
    return effective(code, after(have, decision).levels, AREAS)


def withdrawn(runs: list[Run], code: str, level: Level, rules: CourseRules) -> bool:
    """The rule once more, said plainly: every source that reached the level was followed by two complete runs below."""
    for source in {found.source for found in runs if found.reaches(code, level)}:
        last = max(found.run_time for found in runs if found.source == source and found.reaches(code, level))
        below = {
            found.run_time
            for found in runs
            if found.run_time > last
            and (found.source == source or rank(found.source, rules) < rank(source, rules))
            and code in found.says
            and found.says[code].complete
            and not found.reaches(code, level)
        }
        if len(below) < 2:
            return False
    return True


@given(HELD, some_runs(), RULES, st.integers(0, 24))
def test_nothing_is_lowered_without_two_complete_newer_runs(
    have: Held, runs: list[Run], rules: CourseRules, now: int
) -> None:
    decision = decided(have, runs, now, rules)
    for code, level in have.levels.items():
        fallen = level_after(have, decision, code)
        if fallen < level:
            assert any(found.reaches(code, level) for found in runs)
            assert withdrawn(runs, code, Level(fallen + 1), rules)


@given(HELD, some_runs(), RULES, st.integers(0, 24), st.data())
def test_the_order_of_arrival_changes_nothing(
    have: Held, runs: list[Run], rules: CourseRules, now: int, data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(runs))
    assert decided(have, shuffled, now, rules) == decided(have, runs, now, rules)


@given(HELD, some_runs(), RULES, st.integers(0, 24), st.data())
def test_a_gap_never_lowers(have: Held, runs: list[Run], rules: CourseRules, now: int, data: st.DataObject) -> None:
    whole = decided(have, runs, now, rules)
    holes = data.draw(st.sets(st.tuples(st.sampled_from(range(len(runs))), st.sampled_from(CODES)))) if runs else set()
    holed = [
        replace(one, says={c: Say(None, complete=False) if (index, c) in holes else s for c, s in one.says.items()})
        for index, one in enumerate(runs)
    ]
    decision = decided(have, holed, now, rules)
    for code in CODES:
        before = effective(code, have.levels, AREAS)
        assert level_after(have, decision, code) >= min(before, level_after(have, whole, code))


@given(HELD, some_runs(), RULES, st.integers(0, 24))
def test_deciding_twice_changes_nothing_and_no_end_comes_earlier(
    have: Held, runs: list[Run], rules: CourseRules, now: int
) -> None:
    decision = decided(have, runs, now, rules)
    taken = after(have, decision)
    again = decided(taken, runs, now, rules)
    assert (again.way, again.levels, again.expires) == (Way.NOTHING, taken.levels, taken.expires)
    if have.expires is not None:
        assert taken.expires is not None
        assert taken.expires >= have.expires


@given(some_runs(), RULES)
def test_a_raise_counts_at_once(runs: list[Run], rules: CourseRules) -> None:
    have = Held()
    decision = decided(have, runs, 18, rules)
    newest = {one.source: one for one in sorted(runs, key=lambda one: one.run_time)}
    for one in newest.values():
        better = sum(other.source in rules.sources and other.run_time > one.run_time for other in runs)
        if better >= rules.lowering_runs:
            continue  # raised, and taken back since by newer runs of a source that may
        for code, say in one.says.items():
            assert not say.level or level_after(have, decision, code) >= say.level


class Desk(RuleBasedStateMachine):
    """Three sources hand in runs in order, time passes, and every proposal is taken as it is."""

    @initialize(rules=RULES)
    def begin(self, rules: CourseRules) -> None:
        self.numbers, self.now, self.have = rules, 0.0, Held()
        self.runs: list[Run] = []
        self.rises, self.changes, self.ends = 0, 0, [hour(0)]
        self.words: dict[tuple[str, str], Level] = {}

    def settle(self) -> None:
        decision = decided(self.have, self.runs, self.now, self.numbers)
        self.rises += decision.way is Way.RISE
        if decision.way is Way.LOWER:
            assert max(decision.levels.values()) >= min(YELLOW, max(self.have.levels.values()))
        self.have = after(self.have, decision)
        if self.have.expires is not None:
            self.ends.append(self.have.expires)

    @rule(source=st.sampled_from(SOURCES), says=SAYS)
    def arrives(self, source: str, says: dict[str, Level | str]) -> None:
        self.now += 0.25
        made = run(self.now, says, source)
        for code, say in made.says.items():
            if say.level is not None and say.level > self.words.get((source, code), Level.NONE):
                self.changes += 1
            if say.level is not None:
                # A lower bound takes nothing back.
                word = self.words.get((source, code), Level.NONE)
                self.words[source, code] = say.level if say.complete else max(say.level, word)
        self.runs.append(made)
        self.settle()

    @rule(hours=st.floats(0, 2))
    def waits(self, hours: float) -> None:
        self.now += hours
        self.settle()

    @precondition(lambda self: self.runs)
    @rule()
    def is_asked_again(self) -> None:
        have, rises = self.have, self.rises
        self.settle()
        assert (self.have, self.rises) == (have, rises)

    @invariant()
    def every_rise_is_a_source_that_says_more_than_before(self) -> None:
        assert self.rises <= self.changes

    @invariant()
    def no_end_comes_earlier(self) -> None:
        assert self.ends == sorted(self.ends) or self.ends[1:] == sorted(self.ends[1:])

    @invariant()
    def a_public_level_once_held_is_never_taken_back_by_the_machine(self) -> None:
        if self.rises and any(found.reaches(c, YELLOW) for found in self.runs for c in CODES):
            assert max(self.have.levels.values()) >= YELLOW


TestDesk = Desk.TestCase
TestDesk.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)


@given(
    st.lists(st.tuples(st.sampled_from(SOURCES), st.floats(0.1, 3)), min_size=1, max_size=25),
    st.fixed_dictionaries({source: st.sampled_from(list(Level)) for source in SOURCES}),
    RULES,
)
def test_sources_that_keep_to_their_opinions_never_flap(
    turns: list[tuple[str, float]], opinions: dict[str, Level], rules: CourseRules
) -> None:
    have, runs, now, levels = Held(), list[Run](), 0.0, [Level.NONE]
    spoke = dict.fromkeys(SOURCES, 0.0)
    for source, pause in turns:
        now += pause
        if any(now - at > rules.silent_hours for at in spoke.values()):
            break  # a source that falls silent may be spoken for: that is a change
        spoke[source] = now
        runs.append(run(now, {A: opinions[source]}, source))
        decision = decided(have, runs, now, rules)
        assert decision.way in (Way.NOTHING, Way.RISE, Way.EXTEND)
        have = after(have, decision)
        levels.append(have.levels.get(A, Level.NONE))
    assert levels == sorted(levels)
    assert have.expires is None or have.expires <= hour(now) + timedelta(hours=24)
