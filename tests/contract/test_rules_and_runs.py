"""Rule sets, who switched them on, and a season's runs: the same on every kind of database."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.contract.store_rows import HOUR, NOON, forecast, kept, rules, run

from geowarn.domain.assessment import Assessment
from geowarn.domain.level import Level
from geowarn.ports import Activation, UnitOfWork
from geowarn.store.unit_of_work import SqlStore

OLD = replace(rules(), digest="d" * 64, version="1")
NEW = replace(rules("k = 0.8"), digest="c" * 64, version="2")
OTHER = replace(rules("swi"), digest="b" * 64, name="jma-swi", model="jma-swi")


def activation(number: int, digest: str, hours: float = 0, model: str = "effrain-matrix") -> Activation:
    return Activation(f"ra{number:06d}", model, digest, NOON + hours * HOUR, "leader", f"理由 {number}")


def with_rules(work: UnitOfWork) -> None:
    for one in (NEW, OTHER, OLD):
        work.rules.save(one)


def switch_on(store: SqlStore, one: Activation) -> None:
    kept(store, lambda work: work.rules.activate(one))


def test_nothing_is_active_until_a_person_switches_it_on(any_store: SqlStore) -> None:
    kept(any_store, with_rules)
    with any_store.read() as work:
        assert work.rules.active("effrain-matrix") is None
        assert work.rules.all() == (OLD, NEW, OTHER)


def test_the_newest_activation_of_a_model_holds(any_store: SqlStore) -> None:
    kept(any_store, with_rules)
    first, second = activation(1, NEW.digest), activation(2, OLD.digest, 1)
    other = activation(3, OTHER.digest, 2, "jma-swi")
    for one in (second, first, other):
        switch_on(any_store, one)
    with any_store.read() as work:
        assert work.rules.active("effrain-matrix") == second
        assert work.rules.active("jma-swi") == other
        assert work.rules.active("lhasa11") is None


def test_of_two_activations_at_one_moment_the_later_made_holds(any_store: SqlStore) -> None:
    kept(any_store, with_rules)
    for one in (activation(1, NEW.digest), activation(2, OLD.digest)):
        switch_on(any_store, one)
    with any_store.read() as work:
        found = work.rules.active("effrain-matrix")
    assert found is not None
    assert found.id == "ra000002"


def test_a_rule_set_that_is_not_kept_cannot_be_switched_on(any_store: SqlStore) -> None:
    with pytest.raises(Exception, match=r"(?i)foreign key"):
        switch_on(any_store, activation(1, NEW.digest))
    with any_store.read() as work:
        assert work.rules.active("effrain-matrix") is None


def test_a_season_is_half_open_and_holds_deciding_runs_only(any_store: SqlStore) -> None:
    found = (Assessment("370687", Level.RED, True, {"re_mm": 0.1 + 0.2}), Assessment("370682", None, False, {}))
    runs = {
        name: run(id=name, created_at=NOON + hours * HOUR, beside=beside, model=model, assessments=found)
        for name, hours, beside, model in (
            ("a2", 2, None, "effrain-matrix"),
            ("a1", 1, None, "effrain-matrix"),
            ("a0", 0, None, "effrain-matrix"),
            ("x", 1, "a1", "rolling-multi"),
            ("y", 1, "a1", "jma-swi"),
        )
    }

    def write(work: UnitOfWork) -> None:
        work.forecasts.add(forecast())
        work.rules.save(OLD)
        for one in runs.values():
            work.assessments.add(one)

    kept(any_store, write)
    with any_store.read() as work:
        assert work.assessments.between(NOON, NOON + 2 * HOUR) == (runs["a1"], runs["a2"])
        assert work.assessments.between(NOON - HOUR, NOON) == (runs["a0"],)
        assert work.assessments.between(NOON + 2 * HOUR, NOON + 9 * HOUR) == ()
        assert work.assessments.beside("a1") == (runs["y"], runs["x"])
        assert work.assessments.beside("a2") == ()
        assert [one.id for one in work.assessments.latest()] == ["a2", "a1", "a0"]
