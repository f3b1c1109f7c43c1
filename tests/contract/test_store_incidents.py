"""Incidents on every kind of database: drafts come and go, what was published stays as it is."""

from __future__ import annotations

from dataclasses import replace

from tests.contract.store_rows import HOUR, NOON, incident, publication, statement

from geowarn.domain.incident import Draft, DraftStatus
from geowarn.domain.people import Role, SignOff
from geowarn.store.unit_of_work import SqlStore


def draft(number: int, version: int = 1, **other: object) -> Draft:
    made = Draft(f"i-{number}", "2026-01", version, statement(f"第{number}稿"), "wang", NOON + number * HOUR)
    return replace(made, **other)  # type: ignore[arg-type]


def test_drafts_signatures_and_publications_read_back_as_written(any_store: SqlStore) -> None:
    first, second = draft(1, status=DraftStatus.SUPERSEDED), draft(2, checked_by="sun", checked_at=NOON)
    signed = SignOff("s-1", "i-2", second.digest, "li", Role.LEADER, NOON, "console", "127.0.0.1", "none")
    with any_store.begin() as work:
        work.incidents.add(incident())
        for made in (first, second):
            work.incidents.save_draft(made)
        work.incidents.add_signoff(signed)
        work.incidents.publish(publication(1))
        work.incidents.publish(publication(2, statement=statement("更正后", closed=True)))
        work.commit()
    with any_store.read() as work:
        assert work.incidents.get("2026-01") == incident()
        assert work.incidents.get("2026-02") is None
        assert work.incidents.all() == (incident(),)
        assert work.incidents.drafts("2026-01") == (second, first)
        assert work.incidents.signoffs("i-2") == (signed,)
        assert work.incidents.signoffs("i-1") == ()
        one, two = work.incidents.publications("2026-01")
    assert one == publication(1)
    assert two.statement.closed
    assert two.statement.digest != one.statement.digest


def test_a_draft_saved_again_is_replaced(any_store: SqlStore) -> None:
    with any_store.begin() as work:
        work.incidents.add(incident())
        work.incidents.save_draft(draft(1))
        work.incidents.save_draft(draft(1, status=DraftStatus.PUBLISHED))
        work.commit()
    with any_store.read() as work:
        assert [d.status for d in work.incidents.drafts("2026-01")] == [DraftStatus.PUBLISHED]
