"""Answers and rumours put right: drafted, checked, signed by two people, published, and found."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.integration.voice_desk import OURS, TEXT, heard

from geowarn.bootstrap import System
from geowarn.demo.setting import password_of
from geowarn.domain.errors import Collided, NotEntitled, NotFound, Refused
from geowarn.domain.voice import Voice, VoiceState
from geowarn.pipeline import incidents
from geowarn.pipeline.actor import Actor
from geowarn.pipeline.answers import check_answer, edit_answer, open_answer, publish_answer, sign_answer
from geowarn.pipeline.proof import verify
from geowarn.pipeline.search import Asked, search
from geowarn.pipeline.search_index import NEW, catch_up
from geowarn.pipeline.voice_acts import link
from geowarn.ports import VoiceChoice
from geowarn.resources import config_dir
from geowarn.store.repositories.base import Repository
from geowarn.store.repositories.voices import SqlVoices
from geowarn.web.app import create_app

Officer = Callable[[str], Actor]


def table(**changes: Any) -> dict[str, Any]:
    return tomllib.loads((config_dir() / "answer-example.toml").read_text("utf-8")) | changes


def brought_out(system: System, officer: Officer, answer: str) -> None:
    check_answer(system.desk, answer, officer("disclosure"))
    sign_answer(system.desk, answer, officer("leader"))
    publish_answer(system.desk, answer, officer("duty"))


def test_nothing_is_public_before_check_signature_and_a_second_person(demo_system: System, officer: Officer) -> None:
    desk = demo_system.desk
    answer = open_answer(desk, table(), officer("duty")).incident_id
    assert answer.endswith("-01")
    with pytest.raises(Refused, match=r"incidents\.unchecked"):
        sign_answer(desk, answer, officer("leader"))
    with pytest.raises(NotEntitled):
        check_answer(desk, answer, officer("duty"))
    draft = check_answer(desk, answer, officer("disclosure"))
    with pytest.raises(Refused, match=r"incidents\.unsigned"):
        publish_answer(desk, answer, officer("duty"))
    changed = table(answer={"zh": "等解除通知。", "en": "Wait for the all-clear."})
    edit_answer(desk, answer, changed, officer("duty"))
    with pytest.raises(Refused, match=r"incidents\.unchecked"):  # an edit voids the check
        sign_answer(desk, answer, officer("leader"))
    check_answer(desk, answer, officer("disclosure"))
    with pytest.raises(Refused, match=r"incidents\.moved-on"):
        sign_answer(desk, answer, officer("leader"), draft.digest)
    sign_answer(desk, answer, officer("leader"))
    assert publish_answer(desk, answer, officer("duty")).version == 1
    with demo_system.store.read() as work:
        assert work.incidents.all() == ()
        ledger = [entry for entry in work.ledger.entries(subject=answer)]
        assert not [task for task in work.tasks.pending() if task.kind == "answer-review"]
    assert [entry.kind for entry in ledger][-1] == "answer.published"
    assert all("解除" not in entry.payload for entry in ledger)  # digests only, of drafts that may say too much
    assert verify(demo_system.store)[1] is None
    with pytest.raises(NotFound):
        incidents.edit(desk, answer, table(), officer("duty"))  # no incident has this number


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"rumour": {"zh": "水库垮了", "en": "The dam broke"}}, "answers.one-of"),
        ({"situation": {"zh": "甲", "en": "a"}}, "incidents.unknown-part"),
        ({"answer": {"zh": "请找老李 13812345678", "en": "Ask"}}, "answers.personal"),
        ({"title": {"zh": "", "en": ""}}, "incidents.text"),
    ],
)
def test_what_cannot_be_an_answer_is_refused(
    demo_system: System, officer: Officer, changes: dict[str, Any], key: str
) -> None:
    with pytest.raises(Refused) as raised:
        open_answer(demo_system.desk, table(**changes), officer("duty"))
    assert raised.value.key == key


def test_a_published_answer_answers_whoever_asked_and_is_found(demo_system: System, officer: Officer) -> None:
    receipt = heard(demo_system, 1, kind="question", sign="")
    answer = open_answer(demo_system.desk, table(), officer("duty")).incident_id
    link(demo_system.desk, receipt.number, officer("disclosure"), "answer", answer)
    brought_out(demo_system, officer, answer)
    with demo_system.store.read() as work:
        voice = work.voices.by_number(receipt.number)
        assert voice is not None
        assert voice.state is VoiceState.ANSWERED
        assert not [task for task in work.tasks.pending() if task.kind == "voice"]
    state = demo_system.site_state()
    assert [one.incident.id for one in state.answers] == [answer]
    catch_up(demo_system.search_sources, NEW)
    found = search(demo_system.store, Asked("雨停了 预警"), demo_system.clock.now())
    assert [result.document.place for result in found.results] == [f"answers/{answer}/"]


def test_voices_are_held_before_the_ledger_and_a_collision_is_done_again(
    demo_system: System, officer: Officer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the order of `store.repositories.base`: else who acts on one of them meanwhile ends in a deadlock."""
    taken: list[str] = []
    hold, ledger, publish = SqlVoices.hold, Repository._hold_ledger, incidents.publish

    def held(self: SqlVoices, choice: VoiceChoice) -> tuple[Voice, ...]:
        taken.append("voices")
        return hold(self, choice)

    def appending(self: Repository) -> None:
        taken.append("ledger")
        ledger(self)

    def colliding(*args: Any) -> Any:
        taken.append("begun")
        if taken.count("begun") == 1:
            raise Collided("store.collided")
        return publish(*args)

    answer = open_answer(demo_system.desk, table(), officer("duty")).incident_id
    monkeypatch.setattr(SqlVoices, "hold", held)
    monkeypatch.setattr(Repository, "_hold_ledger", appending)
    monkeypatch.setattr(incidents, "publish", colliding)
    check_answer(demo_system.desk, answer, officer("disclosure"))
    sign_answer(demo_system.desk, answer, officer("leader"))
    taken.clear()
    assert publish_answer(demo_system.desk, answer, officer("duty")).version == 1
    assert taken[:4] == ["begun", "begun", "voices", "ledger"]


def test_the_console_drafts_checks_signs_and_publishes(demo_system: System) -> None:
    receipt = heard(demo_system, 1, kind="question", sign="")

    def seat(name: str) -> tuple[TestClient, str]:
        client = TestClient(create_app(demo_system), follow_redirects=False)
        form = {"name": name, "password": password_of(name)}
        assert client.post("/console/login", data=form, headers=OURS).status_code == 303
        return client, client.get("/console/account").text.split('name="form_token" value="')[1].split('"')[0]

    duty, token = seat("duty")
    assert TEXT in duty.get(f"/console/answers/new?voice={receipt.number}").text
    example = table()
    fields = {"form_token": token, "voice": receipt.number, "sort": "rumour", "warnings": ""}
    for name, part in (("title", "title"), ("asked", "question"), ("answer", "answer")):
        fields |= {f"{name}.{language}": example[part][language] for language in ("zh", "en")}
    begun = duty.post("/console/answers", data=fields, headers=OURS)
    address = begun.headers["location"]
    page = duty.get(f"{address}?lang=zh").text
    assert "公布前还缺" in page
    assert receipt.number in page
    for name, act in (("disclosure", "check"), ("leader", "sign"), ("duty", "publish")):
        client, own = seat(name)
        digest = client.get(address).text.split('name="digest" value="')[1].split('"')[0]
        form = {"form_token": own, "digest": digest}
        assert client.post(f"{address}/{act}", data=form, headers=OURS).status_code == 303, act
    assert "第1版" in duty.get("/console/answers?lang=zh").text
    assert "Rumour put right" in duty.get("/console/answers?lang=en").text
    edit = duty.get(f"{address}/edit").text
    assert example["answer"]["zh"] in edit
    assert 'value="rumour" checked' in edit


def test_the_command_line_brings_one_out(
    demo_system: System, officer: Officer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from geowarn.cli.answers import check, list_, open_, show, sign

    data = demo_system.data_dir
    open_(config_dir() / "answer-example.toml", as_="duty", data=data)
    answer = open_answer(demo_system.desk, table(), officer("duty")).incident_id
    check(answer, as_="disclosure", data=data)
    sign(answer, as_="leader", data=data)
    capsys.readouterr()
    show(answer, data=data)
    assert '"checked_by": "disclosure"' in capsys.readouterr().out
    list_(data=data)
    assert answer in capsys.readouterr().out
    (tmp_path / "bad.toml").write_text("title = ")
    with pytest.raises(Refused, match=r"incidents\.file"):
        open_(tmp_path / "bad.toml", as_="duty", data=data)
