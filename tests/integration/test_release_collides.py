"""House rules 3 and 5 where the database gives a release up for another one: it goes through, and takes one number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.integration.conftest import fresh_code
from tests.integration.test_review_and_release import proposed, sign_all

from geowarn.bootstrap import System
from geowarn.domain.errors import Collided
from geowarn.domain.warning import Act
from geowarn.pipeline.actor import Actor
from geowarn.pipeline.numbering import Number, take_number
from geowarn.pipeline.release import release, retract, retraction_words


def test_release_and_retraction_go_through_once(
    demo_system: System, officer: Callable[[str], Actor], monkeypatch: pytest.MonkeyPatch
) -> None:
    faults: list[Exception] = []

    def collide_first(*given: Any) -> Number:
        number = take_number(*given)
        if faults:
            raise faults.pop()
        return number

    monkeypatch.setattr("geowarn.pipeline.release.take_number", collide_first)
    proposal = proposed(demo_system, officer)
    sign_all(demo_system, officer, proposal.warning_id)
    faults.append(Collided())
    given = release(demo_system.desk, proposal.warning_id, officer("duty"))
    faults.append(Collided())
    code = fresh_code(demo_system, "duty")
    undone = retract(demo_system.desk, proposal.warning_id, retraction_words(given)[0], officer("duty"), code)
    assert (given.serial, undone.serial, undone.act) == (1, 2, Act.RETRACT)
    assert faults == []
    with demo_system.store.read() as work:
        assert [bulletin.id for bulletin in work.bulletins.of_warning(proposal.warning_id)] == [given.id, undone.id]
        assert [entry.kind for entry in work.ledger.entries()].count("bulletin.released") == 2
