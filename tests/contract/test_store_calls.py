"""The register and the calls on every kind of database: replaced as one whole, asked once, answered once, counted."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.contract import store_rows as rows
from tests.contract.store_rows import HOUR, NOON

from geowarn.domain.calls import Call, CallAsk, CallKind, CallState, CallTally, Contact, Via
from geowarn.domain.level import Level
from geowarn.domain.notice import Notice
from geowarn.ports import UnitOfWork
from geowarn.store.unit_of_work import SqlStore

COUNTY, WARDEN = CallKind.COUNTY, CallKind.WARDEN
KEY = "k" * 64


def contact(place: str = "cp-1", number: int = 1, **other: object) -> Contact:
    made = Contact(
        place, "370687", "370687", COUNTY, "值班室", "room", "一号路", number, KEY, b"\x01sealed", "+1 *** *** **42"
    )
    return replace(made, **other)  # type: ignore[arg-type]


def call(number: int = 1, **other: object) -> Call:
    made = Call(
        id=f"ca-{number}",
        bulletin_id="b-1",
        warning_id="w-1",
        place=f"cp-{number}",
        area="370687",
        county="370687",
        kind=COUNTY,
        name_zh="值班室",
        name_en="room",
        where="一号路",
        level=Level.RED,
        called_at=NOON,
        next_after=timedelta(minutes=3),
        turn_at=NOON + timedelta(minutes=10),
        until=NOON + 24 * HOUR,
    )
    return replace(made, **other)  # type: ignore[arg-type]


def ask(number: int = 1, order: int = 1, **other: object) -> CallAsk:
    return replace(CallAsk(f"ca-{number}", order, KEY, "+1 *** *** **42", NOON), **other)  # type: ignore[arg-type]


@pytest.fixture
def called(any_store: SqlStore) -> SqlStore:
    """A store with a bulletin and three calls of it."""
    with any_store.begin() as work:
        work.areas.save_all([rows.area()])
        rows.with_versions(work, 1)
        work.bulletins.add(rows.bulletin(), rows.frozen(1))
        other = call(3, kind=WARDEN, level=Level.ORANGE, turn_at=NOON + HOUR, until=NOON + 2 * HOUR)
        work.calls.add([call(1), call(2), other], [ask(1), ask(2, phone_key="other"), ask(3)])
        work.commit()
    return any_store


def test_a_register_is_replaced_as_one_whole(any_store: SqlStore) -> None:
    first = [contact(), contact(number=2), contact("cp-2", kind=WARDEN)]
    with any_store.begin() as work:
        work.areas.save_all([rows.area()])
        work.contacts.replace_all(first)
        assert work.contacts.all() == tuple(first)
        work.commit()
    with any_store.begin() as work:
        assert work.contacts.first() == (first[0], first[2])
        assert work.contacts.get("cp-1", 2) == first[1]
        assert work.contacts.get("cp-1", 3) is None
        assert work.contacts.of(["cp-2", "cp-9"]) == {("cp-2", 1): first[2]}
        assert work.contacts.numbers(["cp-1", "cp-2", "cp-9"]) == {"cp-1": (1, 2), "cp-2": (1,)}
        assert work.contacts.registered() == {("370687", COUNTY): 1, ("370687", WARDEN): 1}
        work.contacts.replace_all([contact("cp-3")])
        assert [one.place for one in work.contacts.all()] == ["cp-3"]
    with any_store.read() as work:
        assert len(work.contacts.all()) == 3, "nothing is forgotten before the commit"


def test_calls_come_back_as_written_and_a_contact_is_asked_once(called: SqlStore) -> None:
    with called.begin() as work:
        assert work.calls.get("ca-1") == call(1)
        assert [one.id for one in work.calls.of_warning("w-1")] == ["ca-1", "ca-2", "ca-3"]
        assert work.calls.of_warning("w-1", "370682") == ()
        assert work.calls.waiting() == ("w-1",)
        assert work.calls.ask([ask(1, 2)]) == {("ca-1", 2)}
        assert work.calls.ask([ask(1, 2, asked_at=NOON + HOUR), ask(3, 2)]) == {("ca-3", 2)}
        assert work.calls.ask([]) == set()
        work.calls.fail("ca-1", 2, NOON + HOUR)
        work.calls.fail("ca-1", 2, NOON + 2 * HOUR)
        work.commit()
    with called.read() as work:
        assert work.calls.get("ca-1") == call(1, asked=2)
        assert work.calls.asks("w-1")["ca-1"] == (ask(1), ask(1, 2, failed_at=NOON + HOUR))
    told = Notice("n-1", "call", "ca-1", "cp-1#2", "zh", {}, NOON, NOON + HOUR, started_at=NOON + HOUR / 2)
    with called.begin() as work:
        work.notices.add(told)
        sent = [one.sent_at for one in work.calls.asks("w-1")["ca-1"]]
    assert sent == [None, NOON + HOUR / 2], "when its text was sent"


def test_an_answer_counts_once_and_only_while_it_is_wanted(called: SqlStore) -> None:
    with called.begin() as work:
        assert [one.id for one in work.calls.asked_of(KEY, NOON)] == ["ca-1", "ca-3"]
        assert work.calls.answer("ca-1", NOON, Via.TELEPHONE, "duty", b"\x01name")
        assert not work.calls.answer("ca-1", NOON + HOUR, Via.SMS, "", None)
        work.calls.turn(["ca-1", "ca-3"], NOON + HOUR)
        work.calls.turn(["ca-3"], NOON + 2 * HOUR)
        work.calls.end(["ca-2"], NOON)
        assert not work.calls.answer("ca-2", NOON, Via.SMS, "", None)
        work.commit()
    with called.begin() as work:
        held = work.calls.get("ca-1")
        assert held is not None
        assert (held.state, held.answered_via, held.said_by) == (CallState.ANSWERED, Via.TELEPHONE, b"\x01name")
        assert held.turned_at is None
        turned = work.calls.get("ca-3")
        assert turned is not None
        assert (turned.state, turned.turned_at) == (CallState.TURNED, NOON + HOUR)
        assert [one.id for one in work.calls.asked_of(KEY, NOON + HOUR)] == ["ca-3"], "late, and yet an answer"
        assert work.calls.asked_of(KEY, NOON + 3 * HOUR) == ()
        assert [one.id for one in work.calls.of_warning("w-1")] == ["ca-1", "ca-3"]
        work.calls.prolong("w-1", NOON + 9 * HOUR)
        assert [one.id for one in work.calls.asked_of(KEY, NOON + 3 * HOUR)] == ["ca-3"]
        work.calls.end(["ca-1", "ca-3"], NOON)
        assert work.calls.waiting() == ()


def test_numbers_and_names_are_forgotten_with_the_register_and_with_time(called: SqlStore) -> None:
    def kept(work: UnitOfWork) -> dict[str, tuple[bytes | None, list[tuple[str, str]]]]:
        asks = work.calls.asks("w-1")
        return {
            one.id: (one.said_by, [(a.phone_key, a.phone_masked) for a in asks[one.id]])
            for one in work.calls.of_warning("w-1")
        }

    with called.begin() as work:
        work.contacts.replace_all([contact()])
        work.calls.ask([ask(1, 2, phone_key="gone")])
        for name in ("ca-1", "ca-2", "ca-3"):
            work.calls.answer(name, NOON, Via.TELEPHONE, "duty", b"\x01name")
        work.commit()
    here, blank = (KEY, "+1 *** *** **42"), ("", "")
    with called.begin() as work:
        assert work.calls.forget_unregistered() == 2
        assert kept(work) == {"ca-1": (None, [here, blank]), "ca-2": (None, [blank]), "ca-3": (b"\x01name", [here])}
        assert work.calls.asked_of("", NOON) == ()
        assert work.calls.forget_unregistered() == 0
        assert work.calls.forget_before(NOON) == 0
        assert work.calls.forget_before(NOON + 2 * HOUR) == 1, "the third has ended by then, the others have not"
        assert kept(work)["ca-3"] == (None, [blank])
        work.calls.end(["ca-1"], NOON + HOUR)
        assert work.calls.forget_before(NOON + HOUR) == 1
        held = work.calls.get("ca-1")
    assert held is not None
    assert (held.answered_via, held.asked) == (Via.TELEPHONE, 2), "that it was called and answered stays"


def test_calls_are_counted_by_county_kind_and_level(called: SqlStore) -> None:
    with called.begin() as work:
        work.calls.ask([ask(2, 2)])
        work.calls.answer("ca-1", NOON, Via.SMS, "", None)
        due = NOON + timedelta(minutes=10)
        assert work.calls.tally("w-1") == (
            CallTally("370687", COUNTY, Level.RED, 2, 1, 0, 2, due),
            CallTally("370687", WARDEN, Level.ORANGE, 1, 0, 0, 1, NOON + HOUR),
        )
        work.calls.turn(["ca-3"], NOON)
        work.calls.end(["ca-2"], NOON)
        now, then = work.calls.tally("w-1"), work.calls.tally("w-1", "b-1")
        assert now == (
            CallTally("370687", COUNTY, Level.RED, 1, 1, 0, 0, None),
            CallTally("370687", WARDEN, Level.ORANGE, 1, 0, 1, 1, None),
        )
        assert [one.called for one in then] == [2, 1]
        assert work.calls.tally("w-2") == ()
