"""Other issuers' messages on every kind of database: what holds does not depend on the order in which they came."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conftest import FakeClock
from tests.unit.cap_samples import SENDER, SQUARE, alert, area, info, reference
from tests.unit.issuer_bench import NOW, READER, issuer

from geowarn.domain.area import Area, AreaKind
from geowarn.domain.issuers import Feed, Issuer, Outcome, Refusal, Standing
from geowarn.pipeline.issuer_poll import note_plan
from geowarn.pipeline.issuer_view import in_force_of, standing_now
from geowarn.pipeline.issuers import Came, IssuerDesk, take_message
from geowarn.ports import ReadMessage
from geowarn.sources.cap_feed import CapFeedReader
from geowarn.sources.fetch_issuer import HttpCarrier
from geowarn.store.unit_of_work import SqlStore

HERE = issuer()


def desk(store: SqlStore, folder: Path, clock: FakeClock | None = None) -> IssuerDesk:
    made = IssuerDesk(
        store, clock or FakeClock(NOW), READER, CapFeedReader(), HttpCarrier(lambda _: False), folder / "raw", folder
    )
    with store.begin() as work:
        work.areas.save_all([Area("370687", AreaKind.COUNTY, "海阳市", "Haiyang")])
        work.commit()
    note_plan(store, [HERE], made.clock.now())
    return made


def take(made: IssuerDesk, data: bytes) -> Came:
    return take_message(made, HERE, data, "m.xml")


def standings(store: SqlStore) -> dict[str, Standing]:
    with store.read() as work:
        return {other.message.identifier: other.standing for other in standing_now(work, NOW)}


def course() -> list[bytes]:
    """An alert, its update, a cancel of the update alone, an exercise that would cancel all, another's reference."""
    return [
        alert("1"),
        alert("2", msgType="Update", references=reference("1")),
        alert("3"),
        alert("4", msgType="Cancel", references=f"{reference('3')} {reference('9')}"),
        alert("5", status="Exercise", msgType="Cancel", references=reference("2")),
        alert("6", msgType="Update", references=f"other,rain-2,{reference('2').split(',')[2]}"),
        alert("7", scope="Restricted", msgType="Cancel", references=reference("2")),
        alert("8", msgType="Update", references=f"{reference('8')} {SENDER},rain-2,2027-07-23T02:00:02+08:00"),
    ]


AFTER = {
    "rain-1": Standing.ENDED,
    "rain-2": Standing.IN_FORCE,
    "rain-3": Standing.ENDED,
    "rain-4": Standing.NONE,
    "rain-5": Standing.NONE,
    "rain-6": Standing.IN_FORCE,
    "rain-7": Standing.NONE,
    "rain-8": Standing.IN_FORCE,
}


def test_what_holds_does_not_depend_on_the_order_of_arrival(store: SqlStore, tmp_path: Path) -> None:
    made, runs = desk(store, tmp_path), count()

    @settings(max_examples=12, deadline=None)
    @given(order=st.permutations(range(8)), again=st.integers(0, 7))
    def holds(order: list[int], again: int) -> None:
        name = f"run{next(runs)}-"  # messages of its own, so that one database does for all
        messages = [data.replace(b"rain-", name.encode()) for data in course()]
        for at in [*order, again]:
            assert take(made, messages[at]).refusal is None
        found = {key.replace(name, "rain-"): how for key, how in standings(store).items() if key.startswith(name)}
        assert found == AFTER

    holds()


def test_a_course_is_followed_and_kept(any_store: SqlStore, tmp_path: Path) -> None:
    made = desk(any_store, tmp_path)
    came = [take(made, data) for data in reversed(course())]
    assert standings(any_store) == AFTER
    assert [one.what for one in came] == ["shown", "not-public", "shown", "not-actual", *["shown"] * 4]
    with any_store.read() as work:
        found = work.issued.get(came[-1].id)
        entries = [entry for entry in work.ledger.entries() if entry.kind == "issuer.taken"]
        restricted = next(entry for entry in entries if '"not-public"' in entry.payload)
        private = work.issued.get(came[1].id)
        payloads = [one.payload for one in work.issued.latest("weather", 9) if one.payload]
        assert found is not None
        assert private is not None
        assert found.codes == ("370687",)
        assert found.facts["texts"][0]["event"] == "暴雨"
        assert work.issued.same_identifier(SENDER, "rain-1") == (found,)
        assert [one.identifier for one in work.issued.recent(NOW)] == [f"rain-{n}" for n in range(8, 0, -1)]
        assert work.issued.load("weather", NOW + timedelta(seconds=1)) == (0, ())
        assert work.issued.load("weather", NOW - timedelta(hours=1)) == (8, tuple(sorted(set(payloads))))
        assert len(work.issued.latest("weather", 5)) == 5
        assert {other.message.identifier for other in in_force_of(work, NOW)} == {"rain-2", "rain-6", "rain-8"}
    assert len(entries) == 8
    assert (private.facts, private.payload) == ({}, "")
    assert "headline" not in restricted.payload
    assert (tmp_path / "raw" / found.payload).is_file()


def test_the_same_again_changes_nothing_and_other_content_is_refused(any_store: SqlStore, tmp_path: Path) -> None:
    made = desk(any_store, tmp_path)
    assert take(made, alert()).what == "shown"
    spaced = alert().replace(b"<info>", b"\n\n<info>")  # written otherwise, saying the same
    moved = alert(sent="2026-07-22T18:00:01-00:00")  # the same moment in another zone
    assert [take(made, data).what for data in (alert(), spaced, moved)] == ["known"] * 3
    for _ in range(2):
        changed = take(made, alert(infos=info(area(geocode="370687"), severity="Minor")))
        assert changed.refusal is not None
        assert changed.refusal.key == "issuers.changed"
    with any_store.read() as work:
        assert [refusal.key for refusal in work.issued.refusals("weather")] == ["issuers.changed"]
        assert [task.subject for task in work.tasks.pending() if task.kind == "issuer-refused"] == ["weather"]
        assert [entry.kind for entry in work.ledger.entries()].count("issuer.refused") == 1
        assert in_force_of(work, NOW)[0].severity == "Severe"


def test_a_late_update_stands_in_place_of_what_was_shown(any_store: SqlStore, tmp_path: Path) -> None:
    clock = FakeClock(NOW)
    made, long = desk(any_store, tmp_path, clock), info(area(geocode="370687"), expires="2026-08-01T02:00:00+08:00")
    assert take(made, alert("1", infos=long)).moves
    clock.advance(hours=80)
    assert take(made, alert("4", infos=long, msgType="Update", references=reference("3"))).what == "old"
    came = take(made, alert("2", infos=long, msgType="Update", references=reference("1")))
    assert (came.what, came.moves, len(came.ended)) == ("shown", True, 1)
    assert standings(any_store) == {"rain-1": Standing.ENDED, "rain-2": Standing.IN_FORCE, "rain-4": Standing.NONE}


def test_what_nobody_thought_of_is_a_refusal_and_a_fault_of_ours_is_none(store: SqlStore, tmp_path: Path) -> None:
    class Odd:
        def read(self, data: bytes, file_name: str, issuer: Issuer) -> ReadMessage:
            raise ZeroDivisionError

    made = desk(store, tmp_path)
    came = take(replace(made, reader=Odd()), alert())
    assert came.refusal is not None
    assert came.refusal.key == "issuers.unreadable"
    (tmp_path / "raw").write_text("a file where the folder should be")
    with pytest.raises(FileExistsError):
        take(made, alert())
    with store.read() as work:
        assert [one.key for one in work.issued.refusals("weather")] == ["issuers.unreadable"]


def test_what_stands_is_found_behind_any_number_of_others_and_without_its_outlines(
    any_store: SqlStore, tmp_path: Path
) -> None:
    made = desk(any_store, tmp_path)
    came = take(made, alert(infos=info(area(polygon=SQUARE, geocode="370687"))))
    with any_store.begin() as work:
        (first,) = work.issued.recent(NOW)
        for n in range(600):  # tests, cancels, what was ended, what is elsewhere: all sent later
            change = ({"outcome": Outcome.NOT_ACTUAL}, {"msg_type": "Cancel"}, {"ended_by": "x"}, {"codes": ()})[n % 4]
            work.issued.add(replace(first, id=f"x-{n}", sent=NOW, **change))
        work.commit()
    with any_store.read() as work:
        assert [other.message.id for other in in_force_of(work, NOW, drawn=True)] == [came.id]
        (public,) = in_force_of(work, NOW)
        assert (len(work.issued.standing(NOW)), len(work.issued.recent(NOW))) == (1, 601)
    assert len(first.facts["rings"]) == 1
    assert public.message.facts == {key: value for key, value in first.facts.items() if key != "rings"}


def test_feeds_marks_and_refusals_are_kept_as_given(any_store: SqlStore) -> None:
    feed = Feed("a", "甲", "A", "https://a.example/", True, NOW, {"ETag": '"1"'}, NOW, NOW, None, None, {"key": "x"})
    refusal = Refusal("a", "m.xml", "0" * 64, NOW, "issuers.unsigned", {"file": "m.xml"})
    with any_store.begin() as work:
        work.issued.save_feed(feed)
        work.issued.save_marks("a", {"u1": "1", "u2": "2"}, NOW)
        work.issued.save_marks("a", {"u2": "3"}, NOW + timedelta(days=1))
        assert [work.issued.refuse(refusal) for _ in range(2)] == [True, False]
        work.commit()
    with any_store.begin() as work:
        assert work.issued.feeds() == (feed,)
        assert work.issued.feed("b") is None
        assert work.issued.marks("a") == {"u1": "1", "u2": "3"}
        work.issued.forget_marks("a", NOW + timedelta(hours=1))
        assert work.issued.marks("a") == {"u2": "3"}
        assert work.issued.saw_refusals("a", NOW, "duty") == 1
        assert work.issued.saw_refusals("a", NOW, "duty") == 0
        assert work.issued.refusals("a")[0].seen_by == "duty"
