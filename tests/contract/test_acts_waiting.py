"""Acts that meet another one about the same row, on each database: the second decides on what the first one left."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import SimpleNamespace
from typing import cast
from zoneinfo import ZoneInfo

import pytest
from tests.conftest import FakeClock
from tests.contract import store_rows as rows
from tests.contract.test_store_waiting import GIVEN, SHIFT, WANG, met, pool

from geowarn.bootstrap import System
from geowarn.domain.duty import RosterRules
from geowarn.domain.errors import Refused
from geowarn.pipeline.actor import Actor
from geowarn.pipeline.roster_desk import RosterDesk
from geowarn.pipeline.roster_handover import hand_over
from geowarn.security import hash_password
from geowarn.store.unit_of_work import SqlStore
from geowarn.web.sessions import log_in

__all__ = ["pool"]


def test_a_hand_over_is_not_corrected_while_it_is_taken(
    shared_store: SqlStore, pool: ThreadPoolExecutor, clock: FakeClock
) -> None:
    rows.kept(shared_store, lambda work: work.shifts.add(SHIFT))
    rows.kept(shared_store, lambda work: work.roster.save_handover(GIVEN))
    clock.moment = SHIFT.end
    desk = RosterDesk(shared_store, clock, RosterRules(), ZoneInfo("Asia/Shanghai"))
    with shared_store.begin() as work:
        work.roster.handover(GIVEN.id)
        taken = replace(GIVEN, taken_by="li", taken_at=clock.now())
        work.roster.save_handover(taken)
        other = met(shared_store, pool.submit(hand_over, desk, Actor(WANG, "console", "127.0.0.1"), "meanwhile"))
        work.commit()
    with pytest.raises(Refused, match=r"handover-taken|nothing-to-hand-over"):
        other.result(10)
    with shared_store.read() as work:
        assert work.roster.handover(GIVEN.id) == taken


def test_nobody_comes_in_with_a_password_that_is_being_changed(
    shared_store: SqlStore, pool: ThreadPoolExecutor, clock: FakeClock
) -> None:
    known = replace(WANG, password_hash=hash_password("the old password"))
    rows.kept(shared_store, lambda work: work.users.save(known))
    web = SimpleNamespace(second_factor="at-signing", session_hours=8)
    system = cast(System, SimpleNamespace(store=shared_store, clock=clock, settings=SimpleNamespace(web=web)))
    with shared_store.begin() as work:
        work.users.held("wang")
        work.users.save(replace(known, password_hash="new"))
        work.sessions.delete_of("wang")
        other = met(shared_store, pool.submit(log_in, system, "wang", "the old password", "192.0.2.1", ""))
        work.commit()
    with pytest.raises(Refused, match="wrong-password"):
        other.result(10)
    with shared_store.read() as work:
        assert work.sessions.all() == ()
