"""Statements after a disaster: what changed when, what is owed, and what still keeps a draft from the public."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geowarn.domain.errors import Refused
from geowarn.domain.incident import (
    PARTS,
    Draft,
    Part,
    Publication,
    Statement,
    Text,
    check_statement,
    lacking,
    overdue,
    part_version,
    statement_from_json,
)
from geowarn.domain.people import Role, SignOff

NOON = datetime(2026, 7, 23, 4, tzinfo=UTC)
HOUR = timedelta(hours=1)

texts = st.builds(Text, st.text(max_size=20), st.text(max_size=20))
parts = st.builds(Part, texts, st.none() | st.integers(-9, 9).map(lambda hours: NOON + hours * HOUR))
statements = st.builds(
    Statement,
    texts,
    st.dictionaries(st.sampled_from(PARTS), parts),
    texts,
    st.tuples(st.text(max_size=5)),
    st.booleans(),
)


def said(situation: str, promise: int | None = None, **other: object) -> Statement:
    held = {"situation": Part(Text(situation, situation), NOON + promise * HOUR if promise is not None else None)}
    return Statement(Text("题", "Title"), held, Text("说明", "Note"), **other)  # type: ignore[arg-type]


def published(version: int, statement: Statement) -> Publication:
    return Publication("2026-01", version, statement, NOON + version * HOUR, "sun", (("leader", "li"),))


def signed(draft: Draft, user: str, role: Role = Role.LEADER, digest: str | None = None) -> SignOff:
    return SignOff(f"s-{user}", draft.id, digest or draft.digest, user, role, NOON, "console", "here", "none")


@given(statements)
def test_a_statement_reads_back_as_written_and_keeps_its_digest(statement: Statement) -> None:
    again = statement_from_json(statement.as_json())
    assert again == statement
    assert again.digest == statement.digest


@given(statements, statements)
def test_every_difference_makes_another_digest(one: Statement, other: Statement) -> None:
    assert (one.digest == other.digest) == (one == other)


def test_a_part_bears_the_version_in_which_it_last_said_something_new() -> None:
    versions = [published(1, said("甲", 3)), published(2, said("甲", 3)), published(3, said("乙", 3))]
    assert part_version(versions[:2], "situation") is versions[0]
    assert part_version(versions, "situation") is versions[2]
    assert part_version(versions, "cause") is None
    promised_anew = [*versions, published(4, said("乙", 9))]
    assert part_version(promised_anew, "situation") is promised_anew[3]


@given(st.integers(-48, 48), st.integers(-48, 48), st.booleans())
def test_a_promise_is_owed_from_its_hour_on_until_a_new_version_or_the_end(
    promise: int, now: int, closed: bool
) -> None:
    owed = overdue([published(1, said("甲", promise, closed=closed))], NOON + now * HOUR)
    assert owed == ({"situation": NOON + promise * HOUR} if promise <= now and not closed else {})
    assert overdue([], NOON) == {}


def test_check_signature_and_another_person_are_needed() -> None:
    draft = Draft("i-1", "2026-01", 1, said("甲"), "wang", NOON)
    need = (Role.LEADER,)
    assert lacking(need, draft, []) == ("secrecy-check", "leader")
    checked = Draft("i-1", "2026-01", 1, said("甲"), "wang", NOON, checked_by="sun", checked_at=NOON)
    assert lacking(need, checked, [signed(checked, "li", digest="0" * 64)]) == ("leader",)
    assert lacking(need, checked, [signed(checked, "li", Role.CHIEF)]) == ("leader",)
    assert lacking(need, checked, [signed(checked, "wang")]) == ("only-editor",)
    assert lacking(need, checked, [signed(checked, "li")]) == ()


@pytest.mark.parametrize(
    ("statement", "first", "field"),
    [
        (Statement(Text("题", ""), said("甲").parts, Text("", "")), True, "title.en"),
        (Statement(Text("题", "T"), {}, Text("", "")), True, "situation.zh"),
        (Statement(Text("题", "T"), {"situation": Part(Text(" ", "x"))}, Text("", "")), True, "situation.zh"),
        (Statement(Text("题", "T"), said("甲").parts, Text("", "x")), False, "note.zh"),
        (Statement(Text("题" * 61, "T"), said("甲").parts, Text("", "")), True, "title.zh"),
    ],
)
def test_what_is_missing_is_named(statement: Statement, first: bool, field: str) -> None:
    with pytest.raises(Refused) as raised:
        check_statement(statement, first)
    assert raised.value.facts["field"] == field
