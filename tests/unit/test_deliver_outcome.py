"""What an answer makes of a dispatch: a closed set of states, never late, never for ever."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from geowarn.domain.dispatch import TRANSITIONS, Attempt, Dispatch, DispatchState, Outcome
from geowarn.domain.errors import OutcomeUnknown, PermanentFailure, TemporaryFailure
from geowarn.pipeline.gathering import Report
from geowarn.pipeline.outcome import Answer, Pace, judge, rows_digest
from geowarn.pipeline.receipts import _news
from geowarn.ports import Receipt

NOW = datetime(2026, 7, 22, 18, 33, tzinfo=UTC)
PACE = Pace()

ANSWERS = st.one_of(
    st.builds(Receipt, st.sampled_from([Outcome.ACCEPTED, Outcome.DELIVERED]), st.just("SM1")),
    st.builds(TemporaryFailure, st.just("sms.busy"), code=st.just("429"), alarm=st.booleans()),
    st.builds(PermanentFailure, st.just("sms.invalid-number"), code=st.just("21211")),
    st.builds(OutcomeUnknown, st.just("sms.no-answer"), code=st.just("500")),
)


def claimed(minutes_left: float = 60, attempts: int = 0) -> Dispatch:
    not_after = NOW + timedelta(minutes=minutes_left)
    return Dispatch(
        "d1",
        "b1",
        "sms",
        "k",
        "sms/red.zh.txt",
        1,
        "s",
        40,
        NOW,
        not_after,
        DispatchState.SENDING,
        attempts,
        owner="me/1",
        lease_until=NOW + PACE.lease,
    )


def settle(answer: Answer, row: Dispatch, chance: float = 0.5, safe: bool = False) -> Dispatch:
    return judge(row, answer, NOW, NOW, chance=chance, pace=PACE, repeat_is_safe=safe).after


@given(ANSWERS, st.floats(0.01, 600), st.integers(0, 40), st.floats(0, 0.999), st.booleans())
def test_an_answer_leads_only_where_the_table_allows(
    answer: Answer, minutes: float, attempts: int, chance: float, safe: bool
) -> None:
    row = claimed(minutes, attempts)
    after = settle(answer, row, chance, safe)
    assert after.state in TRANSITIONS[DispatchState.SENDING]
    assert after.attempts == attempts + 1
    if after.state is DispatchState.NEW:
        assert after.next_try_at is not None
        assert NOW < after.next_try_at < row.not_after
    if isinstance(answer, OutcomeUnknown) and not safe:
        assert after.state is DispatchState.IN_DOUBT


def test_a_file_or_feed_is_simply_written_again() -> None:
    assert settle(OutcomeUnknown("sms.no-answer"), claimed(), safe=True).state is DispatchState.NEW


def test_retries_end_with_the_warning() -> None:
    assert settle(TemporaryFailure("sms.busy"), claimed(minutes_left=0.01)).state is DispatchState.EXPIRED_UNSENT


def test_the_reason_names_key_and_code_only() -> None:
    after = settle(PermanentFailure("sms.invalid-number", code="21211"), claimed())
    assert (after.state, after.reason) == (DispatchState.FAILED, "sms.invalid-number 21211")


REPORTS = st.lists(
    st.builds(
        Report,
        st.just("d1"),
        st.just("SM1"),
        st.sampled_from(["queued", "sending", "sent", "delivered", "undelivered", "failed", "receiving", "odd"]),
    ),
    max_size=12,
)


@given(REPORTS, st.sampled_from([DispatchState.SENDING, DispatchState.ACCEPTED, DispatchState.IN_DOUBT]))
def test_reports_in_any_order_end_at_the_highest(reports: list[Report], start: DispatchState) -> None:
    def run(these: list[Report]) -> DispatchState:
        row = Dispatch("d1", "b1", "sms", "k", "v", 1, "s", 40, NOW, NOW, start)
        for report in these:
            news = _news(row, report, NOW)
            if news is not None:
                assert news.after.state in TRANSITIONS[row.state]
                row = news.after
        return row.state

    assert run(reports) is run(reports[::-1]) is run(reports + reports)
    if any(report.status == "delivered" for report in reports):
        assert run(reports) is DispatchState.DELIVERED


def test_the_digest_does_not_depend_on_order() -> None:
    one = Attempt("d1", NOW, NOW, Outcome.ACCEPTED, "", "SM1")
    two = Attempt("d2", NOW, NOW, Outcome.PERMANENT, "sms.invalid-number 21211")
    assert rows_digest([one, two]) == rows_digest([two, one]) != rows_digest([one])
