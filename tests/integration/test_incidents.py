"""A disaster's statements from draft to the public: checked, signed, frozen, and never silently late."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import feedparser  # type: ignore[import-untyped]
import pytest
from tests.integration.conftest import SettableClock

from geowarn.bootstrap import System
from geowarn.domain.errors import NotFound, Refused
from geowarn.domain.incident import PARTS
from geowarn.pipeline import incidents
from geowarn.pipeline.actor import Actor
from geowarn.pipeline.proof import verify
from geowarn.resources import config_dir
from geowarn.scheduler import publish_all

Officer = Callable[[str], Actor]


def table(**changes: Any) -> dict[str, Any]:
    """The shipped example, not tied to a warning; its promises lie in the past by now."""
    example = tomllib.loads((config_dir() / "incident-example.toml").read_text("utf-8"))
    for part in PARTS:
        example[part].pop("next_update", None)
    return {**example, "warnings": [], **changes}


def whole_hour(clock: SettableClock, hours: int) -> str:
    return (clock.now().replace(minute=0, second=0, microsecond=0) + timedelta(hours=hours)).isoformat()


def published(system: System, officer: Officer, **changes: Any) -> str:
    draft = incidents.open_incident(system.desk, table(**changes), officer("duty"))
    bring_out(system, officer, draft.incident_id)
    return draft.incident_id


def bring_out(system: System, officer: Officer, incident: str) -> None:
    incidents.check_secrecy(system.desk, incident, officer("disclosure"))
    incidents.sign(system.desk, incident, officer("leader"))
    incidents.publish(system.desk, incident, officer("duty"))


def test_a_statement_reaches_page_json_and_feeds_in_both_languages(demo_system: System, officer: Officer) -> None:
    incident = published(demo_system, officer)
    publish_all(demo_system)
    root = demo_system.public_dir
    page = (root / "incidents" / incident / "index.html").read_text("utf-8")
    assert "某市一处公路边坡滑坡" in page
    assert "第1版" in page
    assert "合成演示降雨" in page
    assert "Landslide at a road cutting" in (root / "en/incidents" / incident / "index.html").read_text("utf-8")
    assert (root / "incidents" / incident / "v1" / "index.html").is_file()
    document = json.loads((root / "incidents" / incident / "incident.json").read_bytes())
    assert [v["version"] for v in document["versions"]] == [1]
    assert document["synthetic"] is True
    for feed in ("warnings.rss", "warnings.atom"):
        read = feedparser.parse((root / "feeds" / feed).read_bytes())
        assert not read.bozo
        assert [e.link.split("/incidents/")[1] for e in read.entries] == [f"{incident}/v1/"]
        assert read.entries[0].title.startswith("合成演示")
    assert "incidents" not in (root / "feeds" / "cap.atom").read_text("utf-8")
    assert verify(demo_system.store)[1] is None


def test_a_correction_is_a_new_version_and_the_old_one_stays(demo_system: System, officer: Officer) -> None:
    incident = published(demo_system, officer)
    publish_all(demo_system)
    old = demo_system.public_dir / "incidents" / incident / "v1" / "index.html"
    assert "看后来的" not in old.read_text("utf-8")
    corrected = table(
        situation={"zh": "撤离5人。", "en": "Five people moved."},
        note={"zh": "撤离人数由3人更正为5人", "en": "3 corrected to 5"},
    )
    incidents.edit(demo_system.desk, incident, corrected, officer("duty"))
    bring_out(demo_system, officer, incident)
    publish_all(demo_system)
    page = (demo_system.public_dir / "incidents" / incident / "index.html").read_text("utf-8")
    assert "撤离人数由3人更正为5人" in page
    assert "第1版" in page  # the cause still says what version 1 said
    before = old.read_text("utf-8")
    assert "半幅路面" in before
    assert "看后来的第2版" in before.replace("</a>", "").replace("\n", "")
    with demo_system.store.read() as work:
        assert [p.version for p in work.incidents.publications(incident)] == [1, 2]


def test_nothing_is_public_before_check_signature_and_a_second_person(demo_system: System, officer: Officer) -> None:
    desk = demo_system.desk
    incident = incidents.open_incident(desk, table(), officer("leader")).incident_id
    with pytest.raises(Refused, match=r"incidents\.unchecked"):
        incidents.sign(desk, incident, officer("leader"))
    with pytest.raises(Refused, match=r"people\.role-missing"):
        incidents.check_secrecy(desk, incident, officer("leader"))
    incidents.check_secrecy(desk, incident, officer("disclosure"))
    with pytest.raises(Refused, match=r"incidents\.unsigned.*leader"):
        incidents.publish(desk, incident, officer("duty"))
    incidents.sign(desk, incident, officer("leader"))  # who wrote it: counts, but never alone
    with pytest.raises(Refused, match=r"incidents\.unsigned.*only-editor"):
        incidents.publish(desk, incident, officer("duty"))
    publish_all(demo_system)
    assert not (demo_system.public_dir / "incidents" / incident).exists()


def test_an_edit_voids_check_and_signature(demo_system: System, officer: Officer) -> None:
    desk = demo_system.desk
    first = incidents.open_incident(desk, table(), officer("duty"))
    incidents.check_secrecy(desk, first.incident_id, officer("disclosure"))
    incidents.sign(desk, first.incident_id, officer("leader"))
    changed = table(cause={"zh": "原因待查。", "en": "The cause is not known yet."})
    second = incidents.edit(desk, first.incident_id, changed, officer("duty"))
    with pytest.raises(Refused, match=r"incidents\.unsigned.*secrecy-check, leader"):
        incidents.publish(desk, first.incident_id, officer("duty"))
    with pytest.raises(Refused, match=r"incidents\.moved-on"):
        incidents.check_secrecy(desk, first.incident_id, officer("disclosure"), first.digest)
    incidents.check_secrecy(desk, first.incident_id, officer("disclosure"), second.digest)


def test_the_writer_does_not_check_their_own_draft(demo_system: System, officer: Officer) -> None:
    incident = incidents.open_incident(demo_system.desk, table(), officer("disclosure")).incident_id
    with pytest.raises(Refused, match=r"incidents\.own-draft"):
        incidents.check_secrecy(demo_system.desk, incident, officer("disclosure"))


def test_a_broken_promise_is_on_the_page_and_a_task(
    demo_system: System, officer: Officer, settable_clock: SettableClock
) -> None:
    promise = {"zh": "正在核查。", "en": "Being looked into.", "next_update": whole_hour(settable_clock, 3)}
    incident = published(demo_system, officer, cause=promise)
    assert incidents.watch_promises(demo_system.desk) == ()
    settable_clock.advance(hours=5)
    assert incidents.watch_promises(demo_system.desk) == (incident,)
    assert incidents.watch_promises(demo_system.desk) == ()
    publish_all(demo_system)
    page = (demo_system.public_dir / "incidents" / incident / "index.html").read_text("utf-8")
    assert "成因已过承诺时间" in page
    with demo_system.store.read() as work:
        assert [t.subject for t in work.tasks.pending() if t.kind == "incident-overdue"] == [incident]
    kept = {**promise, "next_update": whole_hour(settable_clock, 9)}
    incidents.edit(
        demo_system.desk, incident, table(cause=kept, note={"zh": "改期", "en": "New time"}), officer("duty")
    )
    bring_out(demo_system, officer, incident)
    with demo_system.store.read() as work:
        assert not [t for t in work.tasks.pending() if t.kind == "incident-overdue"]
    publish_all(demo_system)
    assert "已过承诺时间" not in (demo_system.public_dir / "incidents" / incident / "index.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"figures": {"zh": "1", "en": "1"}}, "incidents.unknown-part"),
        ({"cause": {"zh": "只有中文"}}, "incidents.text"),
        ({"cause": {"zh": "甲", "en": "a", "next_update": "soon"}}, "incidents.promise"),
        ({"cause": {"zh": "甲", "en": "a", "next_update": "2026-07-24T17:30+08:00"}}, "incidents.promise"),
        ({"cause": {"zh": "甲", "en": "a", "next_update": "2026-07-24T17:00"}}, "incidents.promise"),
        ({"cause": {"zh": "甲", "en": "a", "next_update": "2026-07-24T17:00+08:00"}}, "incidents.promise-past"),
        ({"warnings": ["2026-999"]}, "warnings.unknown"),
    ],
)
def test_what_cannot_be_used_is_named_and_changes_nothing(
    demo_system: System, officer: Officer, changes: dict[str, Any], key: str
) -> None:
    with pytest.raises((Refused, NotFound)) as raised:
        incidents.open_incident(demo_system.desk, table(**changes), officer("duty"))
    assert raised.value.key == key
    with demo_system.store.read() as work:
        assert work.incidents.all() == ()
