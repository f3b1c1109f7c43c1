"""Telling people on duty: once, in one transaction, never late, and silence becomes a task."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conftest import FakeClock

from geowarn.domain.dispatch import DispatchState, Outcome
from geowarn.domain.errors import Collided, OutcomeUnknown, PermanentFailure, Refused, SendFailure, TemporaryFailure
from geowarn.domain.notice import Notice
from geowarn.domain.people import Role, Shift, User
from geowarn.pipeline import notice_lane
from geowarn.pipeline.notice_lane import NoticeLane, judged
from geowarn.pipeline.notice_text import NoticeWords
from geowarn.pipeline.notices import answered, note_result, reported, tell
from geowarn.pipeline.outcome import Pace
from geowarn.pipeline.phones import set_phone
from geowarn.ports import Pager, Receipt
from geowarn.security import FileVault
from geowarn.settings import load_settings
from geowarn.store.unit_of_work import SqlStore
from geowarn.templating import JinjaTemplates

NOW = datetime(2026, 7, 22, 18, 33, tzinfo=UTC)
HOUR = timedelta(hours=1)
NUMBER = "+12085550101"
PACE = Pace()


class Telephone:
    """A far end that answers what a test says, and keeps what it was given."""

    timeout_seconds = 20.0

    def __init__(self, *answers: Receipt | SendFailure) -> None:
        self.answers = list(answers)
        self.sent: list[tuple[str, str]] = []
        self.found: Receipt | SendFailure | None = None

    def can_be_answered(self, address: str) -> bool:
        return not address.startswith("+86")

    def takes_links(self, address: str) -> bool:
        return True

    def page(self, address: str, text: str, notice_id: str, not_after: datetime) -> Receipt:
        answer = self.answers.pop(0) if self.answers else Receipt(Outcome.ACCEPTED, f"SM{len(self.sent)}")
        self.sent.append((address, text))
        if isinstance(answer, SendFailure):
            raise answer
        return answer

    def look_up(self, address: str, text: str, since: datetime) -> Receipt | None:
        if isinstance(self.found, SendFailure):
            raise self.found
        return self.found


class Office:
    """A store with one person on duty, and a lane that reaches them."""

    def __init__(self, store: SqlStore, vault: FileVault, clock: FakeClock, folder: Path, number: str) -> None:
        self.store, self.vault, self.clock, self.folder = store, vault, clock, folder
        with store.begin() as work:
            work.users.save(User("wang", "值班员甲", "Duty Officer A", frozenset({Role.DUTY_OFFICER})))
            work.users.save(User("li", "分管领导乙", "Leader B", frozenset({Role.LEADER})))
            work.shifts.add(Shift("sh-1", "wang", None, clock.now() - HOUR, clock.now() + 9 * HOUR, "li"))
            work.commit()
        if number:
            set_phone(store, vault, clock, "wang", number, "test")
        (folder / "notice").mkdir()
        body = "请在{{ when(by) }}前办理，验证码{{ code }}。{% if can_answer %}回复1{% else %}{{ console }}{% endif %}"
        (folder / "notice" / "try.zh.txt.j2").write_text(body, "utf-8")

    def tell(self, alarm: bool = True, kind: str = "try", not_after: datetime | None = None) -> bool:
        now = self.clock.now()
        with self.store.begin() as work:
            user = work.users.get("wang")
            assert user is not None
            told = tell(
                work, user, kind, "w-1", {"code": "482913", "by": now + HOUR}, now, not_after or now + HOUR, alarm=alarm
            )
            work.commit()
        return told

    def lane(self, pager: Pager | None) -> NoticeLane:
        words = NoticeWords(JinjaTemplates(self.folder), load_settings(None).sections())
        return NoticeLane(self.store, pager, self.vault, self.clock, words, "me")

    def work_off(self, pager: Pager | None) -> None:
        lane = self.lane(pager)
        while lane.step():
            pass
        lane.close()

    def notice(self) -> Notice:
        with self.store.read() as work:
            (found,) = work.notices.of_subject("w-1")
        return found

    def tasks(self) -> list[tuple[str, str, str | None]]:
        with self.store.read() as work:
            return [(task.kind, task.subject, task.owner) for task in work.tasks.pending()]

    def ledger(self) -> list[str]:
        with self.store.read() as work:
            return [entry.kind for entry in work.ledger.entries()]


@pytest.fixture
def office(store: SqlStore, vault: FileVault, clock: FakeClock, tmp_path: Path) -> Callable[[str], Office]:
    return lambda number: Office(store, vault, clock, tmp_path / "own", number)


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()


def test_told_once_with_the_signature_first(office: Callable[[str], Office]) -> None:
    desk, phone = office(NUMBER), Telephone()
    assert desk.tell()
    assert not desk.tell()
    desk.work_off(phone)
    assert phone.sent == [(NUMBER, "【烟台地灾预警】请在7月23日13:00前办理，验证码482913。回复1")]
    assert desk.notice().state is DispatchState.ACCEPTED
    assert desk.tasks() == []


def test_where_no_reply_is_possible_the_page_is_named(office: Callable[[str], Office]) -> None:
    desk, phone = office("+8613800138000"), Telephone()
    desk.tell()
    desk.work_off(phone)
    assert phone.sent[0][1].endswith("http://127.0.0.1:8765/console")


def test_no_number_and_no_code_in_the_ledger(office: Callable[[str], Office]) -> None:
    desk = office(NUMBER)
    desk.tell()
    desk.work_off(Telephone())
    with desk.store.read() as work:
        written = " ".join(entry.payload for entry in work.ledger.entries())
    assert "482913" not in written
    assert NUMBER not in written
    assert "code" not in desk.notice().facts
    assert repr(desk.notice()).count("482913") == 0


def test_without_a_number_there_is_a_task_for_the_leader(office: Callable[[str], Office]) -> None:
    desk, phone = office(""), Telephone()
    assert not desk.tell()
    desk.work_off(phone)
    assert phone.sent == []
    assert desk.notice().reason == "notices.no-number"
    assert desk.tasks() == [("unreachable", "wang", "li")]
    set_phone(desk.store, desk.vault, desk.clock, "wang", NUMBER, "test")
    assert desk.tasks() == []


@pytest.mark.parametrize("answer", [PermanentFailure("sms.unreachable", code="30003")])
def test_a_dead_number_is_a_task(office: Callable[[str], Office], answer: SendFailure) -> None:
    desk = office(NUMBER)
    desk.tell()
    desk.work_off(Telephone(answer))
    assert desk.notice().state is DispatchState.FAILED
    assert desk.tasks() == [("unreachable", "wang", "li")]


def test_an_answer_that_only_met_another_transaction_is_stored_all_the_same(
    office: Callable[[str], Office], monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, telephone, faults = office(NUMBER), Telephone(), [Collided()]

    def collide_first(*given: Any) -> None:
        if faults:
            raise faults.pop()
        note_result(*given)

    monkeypatch.setattr(notice_lane, "note_result", collide_first)
    desk.tell()
    desk.work_off(telephone)
    assert (desk.notice().state, len(telephone.sent)) == (DispatchState.ACCEPTED, 1)
    assert desk.ledger().count("notice.result") == 1


def test_a_busy_provider_is_tried_again_and_never_late(office: Callable[[str], Office]) -> None:
    desk, phone = office(NUMBER), Telephone(TemporaryFailure("sms.busy"), TemporaryFailure("sms.busy"))
    desk.tell()
    for _ in range(3):
        desk.work_off(phone)
        desk.clock.advance(seconds=5)
    assert len(phone.sent) == 3
    assert desk.notice().state is DispatchState.ACCEPTED


def test_past_its_time_nothing_is_sent_and_it_is_told(office: Callable[[str], Office]) -> None:
    desk, phone = office(NUMBER), Telephone()
    desk.tell()
    desk.clock.advance(hours=1)
    desk.work_off(phone)
    assert phone.sent == []
    assert desk.notice().state is DispatchState.EXPIRED_UNSENT
    assert desk.tasks() == [("unreachable", "wang", "li")]


def test_in_doubt_is_asked_before_anything_is_sent_again(office: Callable[[str], Office]) -> None:
    desk, phone = office(NUMBER), Telephone(OutcomeUnknown("sms.no-answer"))
    phone.found = Receipt(Outcome.ACCEPTED, "SM7")
    desk.tell()
    desk.work_off(phone)
    assert desk.notice().state is DispatchState.IN_DOUBT
    desk.clock.advance(minutes=1)
    desk.work_off(phone)
    assert len(phone.sent) == 1
    assert desk.notice().provider_id == "SM7"


def test_never_had_is_sent_again_at_once(office: Callable[[str], Office]) -> None:
    desk, phone = office(NUMBER), Telephone(OutcomeUnknown("sms.no-answer"))
    desk.tell()
    desk.work_off(phone)
    desk.clock.advance(minutes=1)
    desk.work_off(phone)
    assert len(phone.sent) == 2


@pytest.mark.parametrize(("alarm", "sent"), [(True, 2), (False, 1)])
def test_where_nobody_can_say_an_alarm_is_sent_again(office: Callable[[str], Office], alarm: bool, sent: int) -> None:
    desk, phone = office(NUMBER), Telephone(OutcomeUnknown("sms.no-answer"))
    phone.found = TemporaryFailure("sms.no-connection")
    desk.tell(alarm)
    for _ in range(140):
        desk.work_off(phone)
        desk.clock.advance(seconds=30)
    assert len(phone.sent) == sent
    assert desk.notice().settled_at is not None
    assert desk.tasks() == ([] if alarm else [("unreachable", "wang", "li")])  # in doubt to the end is told


def test_a_wording_that_fails_is_told_and_stops_nothing(office: Callable[[str], Office]) -> None:
    desk = office(NUMBER)
    desk.tell(kind="unheard-of")
    desk.work_off(Telephone())
    assert desk.notice().reason == "notices.no-text TemplateNotFound"
    assert desk.tasks() == [("unreachable", "wang", "li")]


def test_without_any_way_to_page_it_waits_and_is_told_in_the_end(office: Callable[[str], Office]) -> None:
    desk = office(NUMBER)
    desk.tell()
    desk.work_off(None)
    assert desk.notice().state is DispatchState.NEW
    desk.clock.advance(hours=1)
    desk.work_off(None)
    assert desk.tasks() == [("unreachable", "wang", "li")]


def test_a_report_of_the_far_end_settles(office: Callable[[str], Office]) -> None:
    desk = office(NUMBER)
    desk.tell()
    desk.work_off(Telephone(Receipt(Outcome.ACCEPTED, "SM1")))
    assert reported(desk.store, desk.clock, "", "SM1", "undelivered", "30005")
    assert desk.tasks() == [("unreachable", "wang", "li")]
    assert reported(desk.store, desk.clock, desk.notice().id, "SM1", "delivered", "")
    assert not reported(desk.store, desk.clock, desk.notice().id, "SM1", "failed", "")
    assert desk.tasks() == []
    assert desk.ledger().count("notice.result") == 3


def test_what_a_person_answers_is_heard_and_kept_nowhere(office: Callable[[str], Office]) -> None:
    desk = office(NUMBER)
    heard: list[tuple[str, str]] = []

    def listener(work: object, user: User, text: str, now: datetime) -> str | None:
        heard.append((user.name, text))
        return "yes"

    assert answered(desk.store, desk.vault, desk.clock, "+1 (208) 555-0101", "1 482913", [listener])
    assert not answered(desk.store, desk.vault, desk.clock, "+12085550177", "1", [listener])
    assert heard == [("wang", "1 482913")]
    with desk.store.read() as work:
        entry = next(entry for entry in work.ledger.entries() if entry.kind == "notice.answered")
    assert "482913" not in entry.payload
    assert "yes" in entry.payload


@pytest.mark.parametrize("text", ["0535-1234567", "+86 1", "+12085550101;ext=5", "hello"])
def test_a_wrong_number_is_refused_without_being_shown(office: Callable[[str], Office], text: str) -> None:
    desk = office("")
    with pytest.raises(Refused, match="not-a-number") as refused:
        set_phone(desk.store, desk.vault, desk.clock, "wang", text, "test")
    assert refused.value.facts == {}


ANSWERS = st.one_of(
    st.builds(Receipt, st.sampled_from([Outcome.ACCEPTED, Outcome.DELIVERED]), st.just("SM1")),
    st.builds(TemporaryFailure, st.just("sms.busy"), alarm=st.booleans()),
    st.builds(PermanentFailure, st.just("sms.invalid-number")),
    st.builds(OutcomeUnknown, st.just("sms.no-answer")),
)


@given(ANSWERS | st.none(), st.floats(-10, 600), st.integers(0, 40), st.floats(0, 0.999), st.booleans(), st.booleans())
def test_an_answer_settles_or_comes_back_before_the_end(
    answer: Receipt | SendFailure | None, minutes: float, tries: int, chance: float, alarm: bool, asked: bool
) -> None:
    state = DispatchState.IN_DOUBT if asked else DispatchState.SENDING
    row = Notice("n", "try", "s", "wang", "zh", {}, NOW - HOUR, NOW + timedelta(minutes=minutes), alarm, state, tries)
    row = replace(row, owner="me/1", lease_until=NOW + PACE.lease, started_at=NOW)
    after = judged(row, answer, NOW, chance, PACE)
    assert after.state is not DispatchState.SENDING
    assert after.lease_until is None
    if after.state is DispatchState.NEW:
        assert after.settled_at is None
        assert after.next_try_at is not None
        assert NOW <= after.next_try_at < after.not_after  # house rule 6
        assert after.owner is None
    elif after.state is DispatchState.IN_DOUBT:
        assert (after.settled_at is None) == (after.next_try_at is not None)
        assert isinstance(answer, OutcomeUnknown)
    else:
        assert after.settled_at == NOW
    if isinstance(answer, OutcomeUnknown) and not asked:
        assert after.state is DispatchState.IN_DOUBT  # never sent again unasked (house rule 5)
