"""Second factors and recovery codes come back as they were, and a recovery code is used up once."""

from __future__ import annotations

from dataclasses import replace

from tests.contract.store_rows import HOUR, NOON, kept

from geowarn.domain.identity import SecondFactor
from geowarn.domain.people import Role, User
from geowarn.store.unit_of_work import SqlStore

WANG = User("wang", "王", "Wang", frozenset({Role.LEADER}))
FACTOR = SecondFactor("wang", b"\x01sealed", NOON, 58_000_000, b"\x01pending", NOON - HOUR)


def test_a_factor_comes_back_as_it_was(any_store: SqlStore) -> None:
    kept(any_store, lambda work: work.users.save(WANG))
    for factor in (SecondFactor("wang"), FACTOR, replace(FACTOR, pending=None, last_step=2**40)):
        with any_store.begin() as work:
            work.factors.save(factor)
            work.commit()
        with any_store.read() as work:
            assert work.factors.get("wang") == factor
            assert work.factors.get("li") is None


def test_a_recovery_code_is_used_up_once(any_store: SqlStore) -> None:
    with any_store.begin() as work:
        work.users.save(WANG)
        work.factors.save(FACTOR)
        work.factors.set_recovery("wang", ("a" * 64, "b" * 64))
        work.commit()
    with any_store.begin() as work:
        assert not work.factors.burn_recovery("wang", "c" * 64, NOON)
        assert not work.factors.burn_recovery("li", "a" * 64, NOON)
        assert work.factors.burn_recovery("wang", "a" * 64, NOON)
        assert not work.factors.burn_recovery("wang", "a" * 64, NOON)
        work.commit()
    with any_store.read() as work:
        assert work.factors.recovery_left("wang") == 1
    kept(any_store, lambda work: work.factors.set_recovery("wang", ("d" * 64,)))
    with any_store.begin() as work:
        assert work.factors.recovery_left("wang") == 1
        assert not work.factors.burn_recovery("wang", "b" * 64, NOON)  # the old ones ended
        work.factors.delete("wang")
        assert (work.factors.get("wang"), work.factors.recovery_left("wang")) == (None, 0)
