"""What people say, once it has arrived: whose it is, what is done with it, what a flood does, how it is deleted."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from starlette.testclient import TestClient
from tests.integration.conftest import SettableClock
from tests.integration.voice_desk import HAIYANG, LIMITS, OURS, QIXIA, TEXT, heard, incoming, tasks

from geowarn.bootstrap import System
from geowarn.demo.setting import password_of
from geowarn.domain.canonical import canonical_json, sha256_hex
from geowarn.domain.errors import NotEntitled, NotFound, Refused
from geowarn.domain.people import Role
from geowarn.domain.voice import Said, VoiceState
from geowarn.pipeline.actor import Actor
from geowarn.pipeline.escalation_advance import advance
from geowarn.pipeline.notice_text import NoticeWords
from geowarn.pipeline.proof import verify
from geowarn.pipeline.voice_acts import HANDLERS, act, link, may_over, read_contact
from geowarn.pipeline.voice_keeping import erase, keep_voices, watch_voices
from geowarn.pipeline.voice_sealed import photo_of, said_in
from geowarn.pipeline.voice_tasks import DANGER
from geowarn.pipeline.voices import find_voice, look_up
from geowarn.ports import VoiceChoice
from geowarn.store.unit_of_work import SqlStore
from geowarn.web.app import create_app

Officer = Callable[[str], Actor]
CONTACT = "13812345678"


def entries(system: System, number: str) -> list[str]:
    with system.store.read() as work:
        return [entry.kind for entry in work.ledger.entries(subject=number)]


def test_danger_rings_and_questions_wait_for_their_owner(demo_system: System, settable_clock: SettableClock) -> None:
    danger = heard(demo_system, 1).voice
    question = heard(demo_system, 2, kind="question", sign="").voice
    assert (danger.owner, danger.due_at - danger.received_at) == ("duty", timedelta(minutes=30))
    assert (question.owner, question.due_at - question.received_at) == ("disclosure", timedelta(hours=72))
    assert tasks(demo_system) == [(DANGER, danger.number), ("voice", question.number)]
    advance(demo_system.desk)
    with demo_system.store.read() as work:
        rung = {one.subject: one for one in work.escalations.open()}
    assert list(rung) == [danger.number]
    assert rung[danger.number].decide_by == danger.due_at
    settable_clock.advance(minutes=16)  # the officer at the desk has not answered: the deputy is told by text
    advance(demo_system.desk)
    now = settable_clock.now()
    with demo_system.store.begin() as work:
        waiting = work.notices.claim("test", now, now + timedelta(minutes=1), 50)
    told = next(notice for notice in waiting if notice.facts.get("task") == DANGER)
    texts = NoticeWords(demo_system.templates, demo_system.facts)
    assert "群众报告险情" in texts.text(replace(told, language="zh"), can_answer=True)
    assert "reports a sign of danger" in texts.text(replace(told, language="en"), can_answer=True)


def test_it_is_taken_answered_and_the_citizen_reads_the_answer(demo_system: System, officer: Officer) -> None:
    receipt = heard(demo_system, 1)
    advance(demo_system.desk)
    taken = act(demo_system.desk, receipt.number, "take", officer("duty"))
    assert (taken.state, taken.owner) == (VoiceState.TAKEN, "duty")
    with demo_system.store.read() as work:
        task = next(t for t in work.tasks.pending() if t.subject == receipt.number)
        assert task.acknowledged_by == "duty"  # the ringing has stopped
    with pytest.raises(Refused, match=r"voices\.note"):
        act(demo_system.desk, receipt.number, "answer", officer("duty"), "  ")
    act(demo_system.desk, receipt.number, "answer", officer("duty"), "已派人查看，裂缝为旧痕。")
    assert tasks(demo_system) == []
    with pytest.raises(Refused, match=r"voices\.state"):
        act(demo_system.desk, receipt.number, "close", officer("duty"), "再办一次")
    found = look_up(demo_system.desk, receipt.number, receipt.word)
    with demo_system.store.read() as work:
        assert [a.note for a in work.voices.acts(found.id) if a.told] == ["已派人查看，裂缝为旧痕。"]
        ledger = "".join(entry.payload for entry in work.ledger.entries(subject=receipt.number))
    assert "裂缝" not in ledger
    act(demo_system.desk, receipt.number, "reopen", officer("duty"))
    assert tasks(demo_system) == [(DANGER, receipt.number)]
    kinds = [kind for kind in entries(demo_system, receipt.number) if kind.startswith("voice")]
    assert kinds == ["voice.received", "voice.taken", "voice.answered", "voice.reopened"]
    with pytest.raises(NotEntitled):
        act(demo_system.desk, receipt.number, "take", officer("observatory"))


def test_an_officer_of_a_county_acts_on_its_voices_only(demo_system: System, officer: Officer) -> None:
    desk, areas = demo_system.desk, {Role.DISCLOSURE: frozenset({HAIYANG})}
    county = Actor(replace(officer("disclosure").user, areas=areas), "console", "test")
    own, other, anywhere = (heard(demo_system, n, area=a, contact=CONTACT) for n, a in enumerate((HAIYANG, QIXIA, "")))
    for does in (
        lambda: act(desk, other.number, "take", county),
        lambda: link(desk, other.number, county, "warning", ""),
        lambda: read_contact(desk, other.number, county),
        lambda: erase(desk, other.number, county),
    ):
        with pytest.raises(NotEntitled, match=r"people\.area-missing"):
            does()
    with demo_system.store.read() as work:
        may = [may_over(county, HANDLERS, work, one.voice) for one in (own, other, anywhere)]
    assert may == [True, False, True]  # as the page offers it
    for receipt in (own, anywhere):
        act(desk, receipt.number, "take", county)
        assert read_contact(desk, receipt.number, county) == CONTACT
        erase(desk, receipt.number, county)


def test_only_handlers_read_a_contact_and_the_ledger_says_who(demo_system: System, officer: Officer) -> None:
    receipt = heard(demo_system, 1, contact=CONTACT)
    assert receipt.voice.contact_masked == "**** **78"
    assert read_contact(demo_system.desk, receipt.number, officer("disclosure")) == CONTACT
    assert entries(demo_system, receipt.number)[-1] == "voice.contact-read"
    with pytest.raises(NotEntitled):
        read_contact(demo_system.desk, receipt.number, officer("observatory"))
    with pytest.raises(Refused, match=r"voices\.no-contact"):
        read_contact(demo_system.desk, heard(demo_system, 2).number, officer("disclosure"))
    with pytest.raises(NotFound, match=r"warnings\.unknown"):
        link(demo_system.desk, receipt.number, officer("duty"), "warning", "2026-999")


def test_deletion_on_request_leaves_the_chain_and_nothing_else(demo_system: System, officer: Officer) -> None:
    """House rule 14: deletable by request without breaking the chain."""
    receipt = heard(demo_system, 1, contact=CONTACT, photo=b"\x89PNG picture")
    act(demo_system.desk, receipt.number, "take", officer("duty"), "王家后墙")
    before = entries(demo_system, receipt.number)
    with pytest.raises(NotEntitled):
        erase(demo_system.desk, receipt.number, officer("duty"))
    gone = erase(demo_system.desk, receipt.number, officer("disclosure"))
    assert (gone.said_sealed, gone.contact_sealed, gone.contact_masked, gone.photo) == (None, None, "", False)
    assert gone.state is VoiceState.CLOSED
    assert said_in(demo_system.vault, gone).text == ""
    with demo_system.store.read() as work:
        assert work.voices.photo(gone.id) is None
        assert {a.note for a in work.voices.acts(gone.id)} == {""}
    assert entries(demo_system, receipt.number) == [*before, "voice.erased"]
    assert verify(demo_system.store)[1] is None
    assert tasks(demo_system) == []
    assert look_up(demo_system.desk, receipt.number, receipt.word).erased_at is not None
    with pytest.raises(Refused, match=r"voices\.erased"):
        erase(demo_system.desk, receipt.number, officer("disclosure"))


def test_nothing_in_the_ledger_tells_a_guesser_what_was_deleted(demo_system: System, officer: Officer) -> None:
    picture, note = b"\x89PNG picture", "王家后墙"
    receipt = heard(demo_system, 1, photo=picture)
    act(demo_system.desk, receipt.number, "close", officer("duty"), note)
    with demo_system.store.read() as work:
        kept = work.voices.photo(receipt.voice.id)
        known = [json.loads(entry.payload) for entry in work.ledger.entries(subject=receipt.number)]
    facts = [one.get("facts", one) for one in known]
    assert kept is not None
    assert len(kept.sealed) < len(picture) + 40
    written = json.dumps(facts)
    did = next(one["act"] for one in facts if one.get("act"))
    for guess in (sha256_hex(picture), sha256_hex(f"{did}\n{note}"), sha256_hex(note)):
        assert guess not in written
    salt = said_in(demo_system.vault, receipt.voice).salt
    assert sha256_hex(canonical_json([salt, did, note])) in written  # what is still there can be proved
    assert sha256_hex(canonical_json([salt, sha256_hex(picture)])) in written
    older = replace(kept, sealed=demo_system.vault.seal(b64encode(picture).decode()))  # as photos were kept at first
    with demo_system.store.begin() as work:
        assert photo_of(demo_system.vault, work, receipt.voice) == picture
        work.voices.put_photo(older)
        assert photo_of(demo_system.vault, work, receipt.voice) == picture


def test_who_said_the_same_is_heard_when_the_first_one_is_deleted(demo_system: System, officer: Officer) -> None:
    first = heard(demo_system, 1)
    second, third = (heard(demo_system, n, said=incoming(1).said) for n in (2, 3))
    act(demo_system.desk, first.number, "take", officer("duty"))
    assert second.voice.state is third.voice.state is VoiceState.FOLDED
    erase(demo_system.desk, first.number, officer("disclosure"))
    with demo_system.store.read() as work:
        now_first, now_second = (find_voice(work, one.number) for one in (second, third))
    assert (now_first.state, now_first.folded_into, now_first.owner) == (VoiceState.NEW, None, "duty")
    assert now_second.folded_into == now_first.id
    assert tasks(demo_system) == [(DANGER, second.number)]
    assert entries(demo_system, second.number) == ["voice.received", "voice.unfolded"]
    act(demo_system.desk, second.number, "close", officer("duty"), "已查看")
    erase(demo_system.desk, second.number, officer("disclosure"))  # dealt with: whoever repeats it was, too
    assert tasks(demo_system) == []


def test_what_was_kept_for_its_days_goes_by_itself(
    demo_system: System, officer: Officer, settable_clock: SettableClock
) -> None:
    done, standing = heard(demo_system, 1), heard(demo_system, 2)
    act(demo_system.desk, done.number, "close", officer("duty"), "已查看")
    settable_clock.advance(hours=25)
    assert keep_voices(demo_system.desk) == 0
    with demo_system.store.read() as work:
        assert {voice.from_key for voice in work.voices.list(VoiceChoice())} == {""}
    settable_clock.advance(days=demo_system.policy.voices.keep_days)
    assert keep_voices(demo_system.desk) == 1
    with demo_system.store.read() as work:
        assert find_voice(work, done.number).erased_at is not None
        assert find_voice(work, standing.number).erased_at is None  # nobody has answered it yet


def test_what_nobody_answers_in_time_is_raised_and_danger_rings_again(
    demo_system: System, officer: Officer, settable_clock: SettableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = heard(demo_system, 1), heard(demo_system, 2)
    heard(demo_system, 3, kind="question", sign="")
    assert watch_voices(demo_system.desk, LIMITS) == ()
    act(demo_system.desk, first.number, "close", officer("duty"), "已查看")
    settable_clock.advance(minutes=31)
    assert watch_voices(demo_system.desk, LIMITS) == ("observation", second.number)
    with monkeypatch.context() as patched:
        patched.setattr(SqlStore, "begin", None)  # where nothing is new, nobody who writes has to wait
        assert watch_voices(demo_system.desk, LIMITS) == ()
    assert (DANGER, second.number) in tasks(demo_system)
    assert ("voice-overdue", "observation") in tasks(demo_system)
    act(demo_system.desk, second.number, "pass-on", officer("duty"), "转栖霞市局")
    assert watch_voices(demo_system.desk, LIMITS) == ("observation",)
    assert [kind for kind, _ in tasks(demo_system)] == ["voice"]


def test_the_console_lists_shows_and_acts(demo_system: System, officer: Officer) -> None:
    point = Said(f"{TEXT}<script>", "三官庙", 120.95, 36.9)
    receipt = heard(demo_system, 1, contact=CONTACT, said=point, photo=b"\x89PNG picture")
    heard(demo_system, 2, area=QIXIA, kind="question", sign="")
    client = TestClient(create_app(demo_system), follow_redirects=False)
    form = {"name": "disclosure", "password": password_of("disclosure")}
    assert client.post("/console/login", data=form, headers=OURS).status_code == 303
    page = client.get("/console/voices").text
    assert "2 封来信待办" in page
    assert "村后山坡裂缝" in page
    assert CONTACT not in page
    assert receipt.number not in client.get(f"/console/voices?area={QIXIA}&state=all").text
    assert "没有符合的来信" in client.get("/console/voices?state=closed&lang=zh").text
    address = f"/console/voices/{receipt.number}"
    page = client.get(address).text
    assert "&lt;script&gt;" in page
    assert "**** **78" in page
    assert CONTACT not in page
    assert f'src="{address}/photo"' in page
    assert 'src="/say/map.svg?' in page
    photo = client.get(f"{address}/photo")
    assert (photo.headers["content-type"], photo.content) == ("image/png", b"\x89PNG picture")
    token = page.split('name="form_token" value="')[1].split('"')[0]

    def post(path: str, **fields: str) -> str:
        return client.post(f"{address}/{path}", data={"form_token": token, **fields}, headers=OURS).text

    assert CONTACT in post("contact")
    post("acts/take")
    assert "接办" in client.get(address).text
    post("acts/close", note="已派人查看")
    assert "已办结" in client.get(f"{address}?lang=zh").text
    assert "settled it" in client.get(f"{address}?lang=en").text
    post("erase")
    assert "裂缝两指宽" not in client.get(address).text


def test_the_command_line_lists_without_words(demo_system: System, capsys: pytest.CaptureFixture[str]) -> None:
    from geowarn.cli.voices import close, list_, show

    receipt = heard(demo_system, 1, contact=CONTACT)
    list_(as_json=True, data=demo_system.data_dir)
    listed = capsys.readouterr().out
    assert json.loads(listed)[0]["number"] == receipt.number
    assert "裂缝" not in listed
    show(receipt.number, data=demo_system.data_dir)
    assert re.search(TEXT, capsys.readouterr().out)
    close(receipt.number, "已查看", as_="disclosure", data=demo_system.data_dir)
    assert "closed" in capsys.readouterr().out
    with pytest.raises(Refused, match=r"voices\.choice"):
        list_(state="lost", data=demo_system.data_dir)
    assert LIMITS.busy == demo_system.settings.say.busy_hour
