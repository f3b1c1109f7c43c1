"""Exercises, permits and counts of dispatches, the same on every kind of database."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.conftest import NOON

from geowarn.domain.errors import Refused
from geowarn.domain.exercise import Exercise, ExerciseStatus, Permit
from geowarn.domain.warning import HazardWarning, Series, WarningStatus
from geowarn.store.unit_of_work import SqlStore

END = NOON + timedelta(hours=1)
ONE = Exercise("x1", 2026, 1, "试", "try", "duty", NOON, END, "0" * 64, "w1")


@pytest.fixture
def opened(any_store: SqlStore) -> SqlStore:
    """A store in which the first exercise runs."""
    with any_store.begin() as work:
        work.warnings.add(HazardWarning("w1", Series.EXERCISE, WarningStatus.PROPOSED, NOON))
        work.exercises.add(ONE)
        work.commit()
    return any_store


def test_one_is_read_as_it_was_written(opened: SqlStore) -> None:
    with opened.read() as work:
        assert work.exercises.running() == work.exercises.get("x1") == ONE
        assert work.exercises.all() == (ONE,)
        assert work.exercises.get("x2") is None


def test_a_second_one_waits_until_the_first_is_over(opened: SqlStore) -> None:
    other = replace(ONE, id="x2", serial=2)
    with opened.begin() as work, pytest.raises(Refused) as refused:
        work.exercises.add(other)
    assert (refused.value.key, refused.value.facts) == ("exercise.already-running", {"number": ONE.number})
    ended = replace(ONE, status=ExerciseStatus.STOPPED, ended_at=END, ended_by="x", reason="r")
    with opened.begin() as work:
        work.exercises.save(replace(ended, title_zh="改"))  # what was begun is not rewritten by its end
        work.exercises.add(other)
        work.commit()
    with opened.read() as work:
        assert work.exercises.all() == (other, ended)
        assert work.exercises.running() == other


def test_a_permit_is_used_once(opened: SqlStore) -> None:
    given = Permit("e1", "chief", NOON, END, "plan")
    with opened.begin() as work:
        work.exercises.permit(given)
        work.commit()
    with opened.begin() as work:
        assert work.exercises.permits(NOON) == (given,)
        assert work.exercises.permits(NOON + timedelta(seconds=1)) == ()
        assert work.exercises.use_permit("e1", "x1", NOON)
        assert not work.exercises.use_permit("e1", "x1", NOON)
        assert not work.exercises.use_permit("e2", "x1", NOON)
        work.commit()
    with opened.read() as work:
        (used,) = work.exercises.permits(NOON)
    assert (used.used_at, used.exercise_id, used.holds(NOON)) == (NOON, "x1", False)


def test_a_bulletin_without_dispatches_has_no_groups(opened: SqlStore) -> None:
    with opened.read() as work:
        assert work.dispatches.groups("b-none") == ()
