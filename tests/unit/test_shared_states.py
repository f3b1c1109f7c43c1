"""Channels that carry one bulletin in the same moment share a reading of the state; nobody gets one without it."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.site_desk import SiteDesk

from geowarn.domain.level import Level
from geowarn.pipeline import publish
from geowarn.pipeline.publish import SharedStates


@pytest.fixture
def site(tmp_path: Path) -> SiteDesk:
    return SiteDesk(tmp_path)


def test_a_reading_is_shared_by_who_carries_a_bulletin_in_it(site: SiteDesk) -> None:
    states = SharedStates(site.state)
    made = site.release({"990101": Level.RED})
    first = states(made.id)
    assert states(made.id) is first
    assert states() is not first
    later = site.release({"990102": Level.YELLOW}, warning="w-2")
    assert later.id in {published.bulletin.id for published in states(later.id).bulletins}
    assert states(later.id) is not first


def test_a_reading_grows_old(site: SiteDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    states = SharedStates(site.state)
    made = site.release({"990101": Level.RED})
    first = states(made.id)
    monkeypatch.setattr(publish, "SHARED_SECONDS", -1.0)
    assert states(made.id) is not first
