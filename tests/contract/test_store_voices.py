"""What people say on every kind of database: found by receipt, counted, folded, wiped for good."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from tests.contract.store_rows import HOUR, NOON, incident, kept, publication

from geowarn.domain.incident import Incident
from geowarn.domain.voice import OPEN, Photo, Voice, VoiceAct, VoiceKind, VoiceState
from geowarn.domain.voice_limits import Load
from geowarn.ports import UnitOfWork, VoiceChoice
from geowarn.store.unit_of_work import SqlStore


def voice(number: int, **other: object) -> Voice:
    made = Voice(
        id=f"v-{number}",
        number=f"2026-{number:04d}",
        kind=VoiceKind.OBSERVATION,
        sign="crack",
        language="zh",
        received_at=NOON + number * HOUR / 60,
        due_at=NOON + HOUR,
        area="370687",
        digest=f"{number:064x}",
        fold_key=f"same-{number % 2}",
        from_key="here",
        said_sealed=b"\x01sealed",
        contact_sealed=b"\x01contact",
        contact_masked="**** **42",
    )
    return replace(made, **other)  # type: ignore[arg-type]


def save(work: UnitOfWork, *voices: Voice) -> None:
    for one in voices:
        work.voices.save(one)


def test_a_voice_reads_back_as_written_is_replaced_and_listed(any_store: SqlStore) -> None:
    question = voice(3, kind=VoiceKind.QUESTION, area="", state=VoiceState.TAKEN)
    kept(any_store, lambda work: save(work, voice(1), voice(2), question))
    moved = voice(2, area="370686", owner="wang", changed_at=NOON + HOUR)
    kept(any_store, lambda work: save(work, moved))
    with any_store.read() as work:
        assert work.voices.get("v-2") == work.voices.by_number("2026-0002") == moved
        assert work.voices.get("v-4") is None
        assert work.voices.counts() == {"new": 2, "taken": 1}

        def listed(**choice: object) -> list[str]:
            return [one.id for one in work.voices.list(VoiceChoice(**choice))]  # type: ignore[arg-type]

        assert listed() == ["v-3", "v-2", "v-1"]
        assert listed(most=1) == ["v-3"]
        assert listed(kind=VoiceKind.QUESTION) == ["v-3"]
        assert listed(areas=frozenset({"370686"})) == ["v-2"]
        assert listed(states=OPEN - {VoiceState.NEW}) == ["v-3"]
        assert listed(due_by=NOON) == []
        assert len(listed(due_by=NOON + HOUR)) == 3
        assert listed(oldest=True, most=2) == ["v-1", "v-2"]
        assert listed(numbers=frozenset({"2026-0001", "2026-0009"})) == ["v-1"]
        assert work.voices.count(VoiceChoice(kind=VoiceKind.OBSERVATION, due_by=NOON + HOUR, most=1)) == 2
    with any_store.begin() as work:
        assert [one.id for one in work.voices.hold(VoiceChoice(states=OPEN, most=2))] == ["v-1", "v-2"]


def test_what_says_the_same_and_how_much_came_is_counted_from_a_moment_on(any_store: SqlStore) -> None:
    rows = (voice(1), voice(3, from_key="there", photo=True), voice(5, state=VoiceState.FOLDED, folded_into="v-1"))
    photo = Photo("v-3", "image/png", f"{7:064x}", b"\x01" * 5000)
    kept(any_store, lambda work: save(work, *rows))
    kept(any_store, lambda work: work.voices.put_photo(photo))
    with any_store.read() as work:
        assert work.voices.standing_like("same-1", NOON) == rows[0]
        assert work.voices.standing_like("same-1", rows[0].received_at) == rows[1]
        assert work.voices.standing_like("same-0", NOON) is None
        assert work.voices.repeats("v-1") == (rows[2],)
        assert work.voices.load("here", NOON) == Load(2, 3, 1, 3, 5000)
        assert work.voices.load("here", rows[0].received_at) == Load(1, 2, 1, 3, 5000)
    done = voice(1, state=VoiceState.ANSWERED, changed_at=NOON + HOUR)
    kept(any_store, lambda work: save(work, done))
    with any_store.begin() as work:
        assert work.voices.room() == (2, 5000)
        assert work.voices.forget_addresses(voice(3).received_at) == 1
        assert work.voices.forget_addresses(voice(3).received_at) == 0
        assert [one.id for one in work.voices.past(NOON + 2 * HOUR, 5)] == ["v-1", "v-5"]
        assert [one.id for one in work.voices.past(NOON + 2 * HOUR, 1)] == ["v-1"]
        assert [one.id for one in work.voices.past(NOON + HOUR, 5)] == ["v-5"]


def test_wiping_takes_photo_and_notes_and_answers_stand_beside_incidents(any_store: SqlStore) -> None:
    photo = Photo("v-1", "image/png", f"{7:064x}", b"\x01" * 5000)
    act = VoiceAct("a-1", "v-1", NOON, "wang", "close", "查过了，王家后墙旧裂缝", told=True)
    later = VoiceAct("a-2", "v-1", NOON + timedelta(seconds=1), "wang", "reopen")

    def write(work: UnitOfWork) -> None:
        save(work, voice(1))
        work.voices.put_photo(photo)
        work.voices.add_act(later)
        work.voices.add_act(act)

    kept(any_store, write)
    with any_store.read() as work:
        assert work.voices.photo("v-1") == photo
        assert work.voices.acts("v-1") == (act, later)
    kept(any_store, lambda work: work.voices.wipe("v-1"))
    with any_store.read() as work:
        assert work.voices.photo("v-1") is None
        assert work.voices.acts("v-1") == (replace(act, note=""), later)
    answer = Incident("2026-01", 2026, 1, NOON + HOUR, synthetic=True)

    def publish(work: UnitOfWork) -> None:
        work.incidents.add(incident())
        work.answers.add(answer)
        work.answers.publish(publication(1))

    kept(any_store, publish)
    with any_store.read() as work:
        assert (work.incidents.all(), work.answers.all()) == ((incident(),), (answer,))
        assert work.incidents.publications("2026-01") == ()
        assert work.answers.publications("2026-01") == (publication(1),)
