"""The public form over a real installation: without script, in both languages, kept from machines and never lost."""

from __future__ import annotations

import html
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.integration.conftest import SettableClock
from tests.integration.voice_desk import HAIYANG, OURS, TEXT, Citizen
from tests.unit.photo_samples import PLACE, with_exif

from geowarn.bootstrap import System, open_system
from geowarn.pipeline.proof import verify
from geowarn.pipeline.voice_sealed import photo_of, said_in
from geowarn.pipeline.voices import find_voice
from geowarn.scheduler import publish_all
from geowarn.web import guard, say

CONTACT = "13812345678"


@pytest.fixture(scope="module")
def published(demo_forenoon: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation whose pages are there already: writing them is what takes long."""
    folder = Path(shutil.copytree(demo_forenoon, tmp_path_factory.mktemp("say") / "data"))
    system = open_system(folder)
    publish_all(system)
    system.store.dispose()
    return folder


@pytest.fixture
def system(published: Path, tmp_path: Path, settable_clock: SettableClock) -> Iterator[System]:
    opened = open_system(Path(shutil.copytree(published, tmp_path / "data")), settable_clock)
    yield opened
    opened.store.dispose()


def test_the_form_warns_first_works_without_script_and_names_the_same_in_both_languages(
    system: System, settable_clock: SettableClock
) -> None:
    chinese, english = (Citizen(system, settable_clock, language).page for language in ("zh", "en"))
    assert chinese.index("先离开，再打电话") < chinese.index("<form")
    assert "不是时时有人看的" in chinese
    assert "not watched every minute" in english
    for page in (chinese, english):
        assert page.count('href="tel:1') == 3
        assert "合成演示降雨" in page or "synthetic demo rainfall" in page.lower()
        assert page.count('name="area"') == 1
        assert "<script" not in page
    names = [re.findall(r' name="([a-z.]+)"', page.split("<main")[1]) for page in (chinese, english)]
    assert names[0] == names[1]
    assert 'href="en/say"' in chinese
    assert 'href="../say"' in english
    answer = Citizen(system, settable_clock).client.get("/say")
    assert answer.headers["cache-control"] == "no-store"
    assert "script-src" not in answer.headers["content-security-policy"]


def test_what_is_sent_has_a_receipt_that_finds_it_and_shows_nobody_anything(
    system: System, settable_clock: SettableClock
) -> None:
    citizen = Citizen(system, settable_clock)
    citizen.say(contact=CONTACT, place="三官庙村东头", area="", lon="121.16", lat="36.78")
    assert citizen.status == 200
    number, word = citizen.receipt
    assert number.endswith("-0001")
    with system.store.read() as work:
        voice = find_voice(work, number)
        ledger = "".join(entry.payload for entry in work.ledger.entries())
        assert [(t.kind, t.subject, t.owner, t.due_at) for t in work.tasks.pending() if t.subject == number] == [
            ("voice-danger", number, "duty", voice.due_at)
        ]
    said = said_in(system.vault, voice)
    assert (said.text, said.place, said.lon, said.lat) == (TEXT, "三官庙村东头", 121.16, 36.78)
    assert voice.area == HAIYANG  # from the place marked
    for hidden in (TEXT, "三官庙", CONTACT, "testclient", word):
        assert hidden not in ledger
        assert hidden.encode() not in (system.data_dir / "geowarn.db").read_bytes()
    assert verify(system.store)[1] is None

    look = Citizen(system, settable_clock, "en")
    page = look.post(do="look", number=number, word=word.lower().replace("-", " "))
    assert "Received, waiting" in page
    for hidden in (TEXT, CONTACT, "三官庙"):
        assert hidden not in page
    for given in ((number, "AAAA-AAAA"), ("2026-9999", word), ("", "")):
        look.post(do="look", number=given[0], word=given[1])
        assert look.status == 422
        assert "There is no such number, or the code is wrong" in look.wrong


def test_guessing_at_words_is_slowed_down(system: System, settable_clock: SettableClock) -> None:
    citizen = Citizen(system, settable_clock)
    pages = [citizen.post(do="look", number="2026-0001", word=f"AAAA-AAA{n}") for n in range(2, 9)]
    pages += [citizen.post(do="look", number="2026-0001", word=f"AAAB-AAA{n}") for n in range(2, 9)]
    assert "查得太快" not in pages[11]
    assert "查得太快" in pages[12]


def test_the_same_form_sent_twice_says_it_once(system: System, settable_clock: SettableClock) -> None:
    citizen = Citizen(system, settable_clock)
    citizen.say()
    first = citizen.receipt
    citizen.say()
    assert citizen.receipt == first
    assert "没有重复登记" in citizen.page
    other = Citizen(system, settable_clock)
    other.say(text=f"{TEXT}！")  # the same words from somebody else: a receipt of its own, no task of its own
    assert other.receipt[0] != first[0]
    with system.store.read() as work:
        assert [t.subject for t in work.tasks.pending() if t.kind.startswith("voice")] == [first[0]]
        assert find_voice(work, other.receipt[0]).folded_into == find_voice(work, first[0]).id
    number, word = other.receipt
    assert "与先前一封相同" in other.post(do="look", number=number, word=word)


def test_machines_are_kept_off_and_people_lose_nothing_over_it(system: System, settable_clock: SettableClock) -> None:
    citizen = Citizen(system, settable_clock)
    sent = {"kind": "question", "text": "什么时候解除？", "place": "三官庙"}
    citizen.post(**sent)
    assert "发得太快" in citizen.wrong
    settable_clock.advance(seconds=4)
    citizen.post(**sent, website="http://spam.example")
    assert "自动填的" in citizen.wrong
    for token in ("", "1.2.3", citizen.token[:-1]):
        citizen.post(**{**sent, "token": token})
        assert "换成新的" in citizen.wrong
        assert citizen.hidden("token") not in ("", citizen.token)
    assert "什么时候解除？</textarea>" in citizen.page
    assert 'value="三官庙"' in citizen.page
    assert 'value="question" required checked' in citizen.page
    settable_clock.advance(hours=25)
    citizen.post(**sent)
    assert "打开得太久" in citizen.wrong
    with system.store.read() as work:
        assert work.voices.counts() == {}
    fresh = Citizen(system, settable_clock)
    settable_clock.advance(seconds=4)
    fresh.post(**sent)
    assert fresh.status == 200


WRONG = [
    ({"kind": ""}, "kind", "请选一项"),
    ({"sign": "smell"}, "sign", "请选看到的是什么"),
    ({"text": " "}, "text", "“内容”要写"),
    ({"contact": "call me"}, "contact", "“联系方式”"),
    ({"lon": "120", "lat": ""}, "lon", "经度、纬度"),
    ({"area": "999999"}, "area", "“地区”"),
]


def test_what_is_wrong_is_named_at_its_field(system: System, settable_clock: SettableClock) -> None:
    citizen = Citizen(system, settable_clock)
    for changes, field, sentence in WRONG:
        citizen.say(**changes)
        assert citizen.status == 422
        assert sentence in citizen.wrong
        assert f'<a href="#{field}">' in citizen.page
        assert f'id="{field}-e"' in citizen.page
        assert f'id="{field}"' in citizen.page


def test_a_place_is_marked_by_pressing_the_picture_nearer_each_time(
    system: System, settable_clock: SettableClock
) -> None:
    citizen = Citizen(system, settable_clock)
    picture = html.unescape(re.search(r'src="(say/map\.svg[^"]*)"', citizen.page)[1])  # type: ignore[index]
    drawn = citizen.client.get(f"/{picture}")
    assert drawn.headers["content-type"].startswith("image/svg+xml")
    assert "海阳" in drawn.text
    assert "海阳" not in citizen.client.get("/say/map.svg?l=en&z=x").text
    citizen.post(**{"text": "abc", "at.x": "150", "at.y": "140", "z": "0", "x": "0", "y": "0"})
    first = (float(citizen.hidden("lon") or 0), citizen.hidden("z"))
    assert "已标出" in citizen.page
    assert "abc</textarea>" in citizen.page
    assert first[1] == "1"
    near = {name: citizen.hidden(name) for name in ("z", "x", "y")}
    citizen.post(**{"at.x": "10", "at.y": "10"}, **near)
    assert citizen.hidden("z") == "2"
    citizen.post(do="unmark", lon="120.9", lat="37.1", **near)
    assert "已标出" not in citizen.page
    citizen.post(**{"at.x": "0", "at.y": "0"})
    assert "用键盘的" in citizen.wrong


def test_a_photo_is_drawn_anew_and_a_bad_one_never_loses_the_words(
    system: System, settable_clock: SettableClock
) -> None:
    citizen = Citizen(system, settable_clock)
    citizen.say({"photo": ("crack.jpg", with_exif(6), "image/jpeg")})
    assert "照片也收到了" in citizen.page
    with system.store.read() as work:
        body = photo_of(system.vault, work, find_voice(work, citizen.receipt[0]))
    assert body.startswith(b"\x89PNG")
    assert PLACE not in body
    for stored in system.data_dir.rglob("*.db*"):
        assert PLACE not in stored.read_bytes()
        assert body[:200] not in stored.read_bytes()
    other = Citizen(system, settable_clock)
    other.say({"photo": ("crack.heic", b"\0\0\0\x18ftypheic" + b"\0" * 50, "image/heic")}, text="另一处裂缝")
    assert "照片没有收下：只收 JPEG" in other.page
    assert other.receipt[0]


def test_a_photo_is_looked_at_last_and_once(
    system: System, settable_clock: SettableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is refused or had arrived costs no picture: else a page full of them would hold every thread."""
    drawn: list[bytes] = []

    def draw(body: bytes, *_: int) -> bytes:
        drawn.append(body)
        return b"\x89PNG drawn"

    monkeypatch.setattr(say, "drawn_anew", draw)
    citizen, photo = Citizen(system, settable_clock), {"photo": ("crack.jpg", with_exif(1), "image/jpeg")}
    citizen.say(photo, area="999999")
    assert "“地区”" in citizen.wrong
    assert drawn == []
    for _ in range(3):
        citizen.say(photo)
    assert "没有重复登记" in citizen.page
    assert len(drawn) == 1
    citizen.say(photo, text="另一处裂缝")
    assert len(drawn) == 2


def test_who_goes_back_and_changes_something_is_heard_anew(system: System, settable_clock: SettableClock) -> None:
    citizen, numbers = Citizen(system, settable_clock), []
    for changes in ({}, {"text": f"{TEXT}，现在宽了一倍"}, {"place": "三官庙"}, {"contact": CONTACT}, {}):
        citizen.say(**changes)
        numbers.append(citizen.receipt[0])
    assert numbers[-1] == numbers[0]  # the same form to the letter
    assert len(set(numbers)) == 4
    with system.store.read() as work:
        assert said_in(system.vault, find_voice(work, numbers[1])).text.endswith("宽了一倍")


def test_one_address_asks_for_the_form_so_often_and_keeps_nobody_else_off(
    system: System, settable_clock: SettableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(say, "_READING", replace(say._READING, mine=2))
    client = Citizen(system, settable_clock).client
    assert [client.get("/en/say").status_code for _ in range(2)] == [200, 429]


def test_a_body_too_large_or_one_too_many_is_told_and_leads_back(
    system: System, settable_clock: SettableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    citizen = Citizen(system, settable_clock, "en")
    big = {"photo": ("a.jpg", b"\xff" * (9 << 20), "image/jpeg")}
    page = citizen.say(big)
    assert citizen.status == 413
    assert 'href="/en/say"' in page
    assert "8192 KB" in page
    answer = citizen.client.post("/console/login", content=b"x" * (65 << 10), headers=OURS)
    assert answer.status_code == 413
    monkeypatch.setattr(guard, "LARGE_AT_ONCE", 0)
    full = Citizen(system, settable_clock)
    page = full.say({"photo": ("a.jpg", with_exif(1) + b"\0" * (70 << 10), "image/jpeg")})
    assert full.status == 503
    assert "请不带照片再发一次" in page
    full.say()
    assert full.status == 200


def test_a_closed_form_is_not_there(
    system: System, settable_clock: SettableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GEOWARN_SAY__OPEN", "false")
    closed = open_system(system.data_dir, settable_clock)
    assert Citizen(closed, settable_clock).client.get("/say").status_code == 404
    closed.store.dispose()
