"""The ledger's entries about one course, by question."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from geowarn.domain.case import Question, case_of, question_of
from geowarn.domain.ledger import LedgerEntry, chain

START = datetime(2026, 7, 22, 17, 41, tzinfo=UTC)


def entries(*steps: tuple[float, str, str, str, Mapping[str, Any]]) -> list[LedgerEntry]:
    """(seconds since the start, actor, kind, subject, payload) as a chain."""
    made: list[LedgerEntry] = []
    for seconds, actor, kind, subject, payload in steps:
        made.append(
            chain(made[-1] if made else None, START + timedelta(seconds=seconds), actor, kind, subject, payload)
        )
    return made


DUE = (START + timedelta(minutes=60)).isoformat()
COURSE = entries(
    (0, "system", "forecast.ingested", "f-0", {"kinds": ["observed"]}),
    (60, "system", "forecast.ingested", "f-1", {"kinds": ["forecast"]}),
    (195, "system", "assessment.made", "a-1", {}),
    (195, "system", "proposal.version", "w-1", {"version": 1}),
    (233, "system", "escalation.started", "w-1", {"decide_by": DUE}),
    (233, "system", "escalation.rung", "w-1", {"person": "duty"}),
    (233, "system", "notice.queued", "t-1.1 0", {"person": "duty"}),
    (726, "duty (console, 10.0.0.1)", "escalation.answered", "w-1", {}),
    (1300, "duty (console, 10.0.0.1)", "proposal.version", "w-1", {"version": 2}),
    (3521, "chief (console, 10.0.0.2)", "proposal.signed", "w-1", {"version": 2}),
    (3540, "system", "bulletin.released", "w-1", {"bulletin": "b-1"}),
    (3540.6, "system", "dispatch.results", "b-1", {"channel": "website", "states": {"delivered": 1}}),
    (3541, "system", "dispatch.results", "b-1", {"channel": "sms", "states": {"accepted": 200}}),
    (3542, "system", "dispatch.results", "b-1", {"channel": "sms", "states": {"accepted": 100, "failed": 3}}),
)


def test_each_entry_answers_one_question() -> None:
    found = {question: [told.entry.kind for told in group] for question, group in case_of(COURSE).answers.items()}
    assert found[Question.KNOWN] == [
        "forecast.ingested", "forecast.ingested", "assessment.made", "proposal.version",
    ]  # fmt: skip
    assert found[Question.TOLD] == ["escalation.started", "escalation.rung", "escalation.answered"]
    assert found[Question.DECIDED] == ["proposal.version", "proposal.signed"]
    assert found[Question.SENT] == ["bulletin.released", "dispatch.results", "dispatch.results"]


def test_times_run_from_the_forecast_not_from_observed_rain() -> None:
    times = case_of(COURSE).times
    assert times.heard_to_released == timedelta(minutes=58)
    assert times.rung_to_answered == timedelta(minutes=8, seconds=13)
    assert times.last_signature_before_due == timedelta(seconds=79)


def test_batches_of_a_channel_are_told_once_with_their_sum() -> None:
    case = case_of(COURSE)
    website, sms = case.answers[Question.SENT][1:]
    assert (website.facts["since_release"], "batches" in website.facts) == (timedelta(seconds=0.6), False)
    assert sms.facts["states"] == {"accepted": 300, "failed": 3}
    assert (sms.facts["batches"], sms.entry.sequence) == (2, 14)
    assert (case.total, case.left_out) == (14, 2)


def test_the_whole_list_leaves_nothing_out() -> None:
    case = case_of(COURSE, whole=True)
    assert case.left_out == 0
    told = sorted(one.entry.sequence for group in case.answers.values() for one in group)
    assert told == list(range(1, 15))


@given(st.lists(st.sampled_from(COURSE), max_size=40))
def test_no_entry_is_lost_or_told_twice(some: list[LedgerEntry]) -> None:
    case = case_of(some, whole=True)
    told = [one.entry for group in case.answers.values() for one in group]
    assert sorted(told, key=lambda e: e.sequence) == sorted(set(some), key=lambda e: e.sequence)
    assert all(question_of(one.entry) is question for question, group in case.answers.items() for one in group)
    shown = sum(len(group) for group in case_of(some).answers.values())
    assert shown + case_of(some).left_out == case.total
