"""What is kept of people comes back as it was: factors, invitations, changes that wait, sessions, others' warnings."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st
from tests.contract.store_rows import HOUR, NOON, kept
from tests.contract.test_store import many, names

from geowarn.domain.identity import Invitation, Outcome, OutsideWarning, PendingChange, SecondFactor
from geowarn.domain.people import Role, User
from geowarn.ports import Session
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


@many
@given(st.dictionaries(st.sampled_from(Role), st.frozensets(names, min_size=1, max_size=3), max_size=3))
def test_where_a_role_is_held_comes_back_as_it_was(any_store: SqlStore, areas: dict[Role, frozenset[str]]) -> None:
    user = replace(WANG, roles=frozenset(areas) | WANG.roles, areas=areas)
    kept(any_store, lambda work: work.users.save(user))
    with any_store.read() as work:
        assert work.users.get("wang") == user


def test_an_invitation_is_used_once_in_its_time_by_its_person(any_store: SqlStore) -> None:
    def invitation(key: str) -> Invitation:
        return Invitation(key * 64, "wang", "admin", NOON, NOON + HOUR)

    kept(any_store, lambda work: work.users.save(WANG))
    kept(any_store, lambda work: work.invitations.add(invitation("a")))
    kept(any_store, lambda work: work.invitations.add(invitation("b")))
    with any_store.begin() as work:
        assert work.invitations.open_until(NOON) == {"wang": NOON + HOUR}
        assert not work.invitations.use("wang", "a" * 64, NOON)  # a newer one took its place
        assert not work.invitations.use("li", "b" * 64, NOON)
        assert not work.invitations.use("wang", "b" * 64, NOON + HOUR)
        assert work.invitations.use("wang", "b" * 64, NOON)
        assert not work.invitations.use("wang", "b" * 64, NOON)
        assert work.invitations.open_until(NOON) == {}
        work.commit()


def test_a_change_waits_until_it_is_decided(any_store: SqlStore) -> None:
    first = PendingChange("c-1", "roles", "wang", {"roles": ["leader"], "areas": {}}, "admin", NOON)
    second = PendingChange("c-2", "enable", "li", {}, "admin", NOON - HOUR)
    with any_store.begin() as work:
        for change in (first, second):
            work.pending_changes.save(change)
        work.commit()
    decided = replace(first, outcome=Outcome.CONFIRMED, decided_by="other", decided_at=NOON + HOUR)
    with any_store.begin() as work:
        assert work.pending_changes.waiting() == (second, first)
        work.pending_changes.save(decided)
        work.commit()
    with any_store.read() as work:
        assert work.pending_changes.waiting() == (second,)
        assert work.pending_changes.get("c-1") == decided
        assert work.pending_changes.get("c-9") is None


def test_another_offices_warning_is_there_until_its_end(any_store: SqlStore) -> None:
    one = OutsideWarning("o-1", "省厅", "橙色", "胶东", "强降雨", NOON + HOUR, "wang", NOON)
    kept(any_store, lambda work: work.outside_warnings.save(one))
    with any_store.read() as work:
        assert work.outside_warnings.current(NOON) == (one,)
        assert work.outside_warnings.current(NOON + HOUR) == ()
    ended = replace(one, ended_by="li", ended_at=NOON)
    kept(any_store, lambda work: work.outside_warnings.save(ended))
    with any_store.read() as work:
        assert work.outside_warnings.current(NOON) == ()
        assert work.outside_warnings.get("o-1") == ended


def test_sessions_are_listed_newest_first_and_ended_by_person(any_store: SqlStore) -> None:
    old = Session("a" * 64, "wang", "form", NOON, NOON, NOON + HOUR, "192.0.2.1", "browser")
    new = replace(old, token_sha256="b" * 64, opened_at=NOON + HOUR, ends_at=NOON + 3 * HOUR, waits_for_code=True)
    other = replace(old, token_sha256="c" * 64, user="li", opened_at=NOON - HOUR, ends_at=NOON)
    with any_store.begin() as work:
        for session in (old, other, new):
            work.sessions.save(session)
        assert work.sessions.all() == (new, old, other)
        work.sessions.delete_ended(NOON + timedelta(minutes=1))
        assert work.sessions.all() == (new, old)
        assert work.sessions.delete_of("wang") == 2
        assert work.sessions.all() == ()
