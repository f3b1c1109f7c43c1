"""Which run decides: properties over arbitrary sets of runs (house rules 1 and 16, bugs 15 and 16)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from geowarn.domain.period import Period
from geowarn.domain.source_choice import HANDED_IN, Candidate, Rank, choose

NOW = datetime(2026, 7, 23, 12, tzinfo=UTC)
RANKS = (Rank("near", 12), Rank("far", 18), Rank(HANDED_IN, 12))
REFUSE = 24.0


def run(source: str, age: float, hours: float = 48, needs: float = 24, received: float = 0) -> Candidate:
    """A run of `source` that began `age` hours ago and reaches `hours` from its time on."""
    begun = NOW - timedelta(hours=age)
    coverage = Period(begun, begun + timedelta(hours=hours))
    return Candidate(f"{source}-{age}", source, begun, coverage, NOW - timedelta(hours=received), needs)


runs = st.builds(
    run,
    st.sampled_from(["near", "far", HANDED_IN]),
    st.integers(-30, 60),
    st.integers(1, 96),
    st.sampled_from([0, 24, 48]),
    st.floats(0, 5),
)
sets = st.lists(runs, max_size=8, unique_by=lambda one: (one.source, one.run_time))


def chosen(candidates: list[Candidate]) -> str | None:
    found = choose(candidates, RANKS, NOW, REFUSE).chosen
    return found.forecast_id if found else None


@given(sets, st.randoms(use_true_random=False))
def test_the_order_of_arrival_changes_nothing(candidates: list[Candidate], random: object) -> None:
    shuffled = list(candidates)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    moments = [one.received_at for one in shuffled]
    assert chosen(candidates) == chosen(shuffled)
    rearranged = [
        Candidate(one.forecast_id, one.source, one.run_time, one.coverage, at, one.needs_hours)
        for one, at in zip(candidates, reversed(moments), strict=True)
    ]
    assert chosen(rearranged) == chosen(candidates)


@given(sets, st.sampled_from(["near", "far"]), st.integers(-30, 60), st.floats(1, 23.9))
def test_an_incomplete_run_never_displaces_a_complete_one(
    candidates: list[Candidate], source: str, age: int, hours: float
) -> None:
    part = run(source, age, hours, needs=24)
    assert chosen([*candidates, part]) == chosen(candidates)


@given(sets)
def test_what_decides_is_usable_and_the_newest_of_its_source(candidates: list[Candidate]) -> None:
    found = choose(candidates, RANKS, NOW, REFUSE).chosen
    usable = [one for one in candidates if one.usable(NOW, REFUSE)]
    if found is None:
        assert not usable
        return
    assert found in usable
    assert found.run_time == max(one.run_time for one in usable if one.source == found.source)


@given(sets)
def test_a_later_source_decides_only_where_all_before_it_are_stale(candidates: list[Candidate]) -> None:
    choice = choose(candidates, RANKS, NOW, REFUSE)
    for rank in RANKS:
        if choice.chosen is None or rank.source == choice.chosen.source:
            break
        fresh = [
            one
            for one in candidates
            if one.source == rank.source and one.usable(NOW, REFUSE) and not one.older(NOW, rank.stale_hours)
        ]
        assert not fresh
        assert rank.source in choice.passed_over


def test_bug_16_age_is_counted_from_the_run_not_from_the_download() -> None:
    just_downloaded = run("near", age=13, received=0)
    fetched_long_ago = run("far", age=12, received=11)
    choice = choose([just_downloaded, fetched_long_ago], RANKS, NOW, REFUSE)
    assert choice.chosen == fetched_long_ago
    assert choice.passed_over == ("near",)


def test_where_all_are_stale_the_newest_stands_until_the_rules_refuse_it() -> None:
    stale = [run("near", age=23), run("far", age=20)]
    assert chosen(stale) == "far-20"
    assert choose(stale, RANKS, NOW + timedelta(hours=5), REFUSE).chosen is None


def test_a_run_of_next_week_does_not_hide_todays() -> None:
    assert chosen([run("near", age=-200), run("near", age=3)]) == "near-3"


def test_a_run_published_again_with_other_bytes_is_a_correction() -> None:
    first, second = run("near", 3, received=2), run("near", 3, hours=72, received=1)
    for order in ([first, second], [second, first]):
        assert choose(order, RANKS, NOW, REFUSE).chosen == second
