"""The people who get the text come in whole or not at all, and their numbers are never shown (house rule 14)."""

from __future__ import annotations

import csv
import itertools
import re
import stat
from pathlib import Path

import pytest

from geowarn.catalogue import LANGUAGES, explain
from geowarn.domain.area import Area, AreaKind
from geowarn.domain.errors import Refused
from geowarn.domain.recipient import mask_phone
from geowarn.pipeline.recipients import ImportReport, export_recipients, import_recipients, stats
from geowarn.ports import Clock, Vault
from geowarn.store.unit_of_work import SqlStore

HEAD = "phone,area,language,role,consent"
WANG = "+12025550142,370687,zh,resident,form 2026-05-01"
LI = "+86 138 1234 5678,370682,en,warden,by telephone"
ACTOR = "command line, OS user test"


@pytest.fixture
def places(store: SqlStore) -> SqlStore:
    with store.begin() as work:
        work.areas.save_all(Area(code, AreaKind.COUNTY, code, code) for code in ("370687", "370682"))
        work.commit()
    return store


@pytest.fixture
def take_in(places: SqlStore, vault: Vault, clock: Clock, tmp_path: Path) -> object:
    def act(*lines: str, head: str = HEAD) -> ImportReport:
        file = tmp_path / "people.csv"
        file.write_text("\n".join((head, *lines)) + "\n", encoding="utf-8")
        return import_recipients(places, vault, clock, file, ACTOR)

    return act


def held(store: SqlStore) -> int:
    with store.read() as work:
        return len(work.recipients.all())


def test_numbers_are_sealed_masked_and_matched(take_in, places: SqlStore, vault: Vault) -> None:  # type: ignore[no-untyped-def]
    assert take_in(WANG, LI) == ImportReport(2, 2, 0)
    with places.read() as work:
        (wang,) = work.recipients.by_phone_key(vault.key_of("+12025550142"))
        (li,) = work.recipients.by_phone_key(vault.key_of("+8613812345678"))
        assert stats(work) == {("370682", "en", "warden"): 1, ("370687", "zh", "resident"): 1}
    assert (wang.phone_masked, li.phone_masked) == ("+1 *** *** **42", "+86 *** *** **78")
    assert vault.open(wang.phone_sealed) == "+12025550142"
    assert "2025550142" not in repr(wang)


def test_nothing_stored_and_no_entry_holds_a_number(take_in, places: SqlStore) -> None:  # type: ignore[no-untyped-def]
    take_in(WANG, LI)
    driver = places.engine.raw_connection()
    dump = "\n".join(driver.driver_connection.iterdump())  # type: ignore[union-attr]
    driver.close()
    assert "recipients.imported" in dump
    assert "5550142" not in dump
    assert "12345678" not in dump
    assert b"+12025550142".hex() not in dump.lower()


def test_importing_again_never_undoes_a_stop(  # type: ignore[no-untyped-def]
    take_in, places: SqlStore, vault: Vault, clock: Clock
) -> None:
    take_in(WANG)
    with places.begin() as work:
        work.recipients.opt_out(vault.key_of("+12025550142"), clock.now())
        work.commit()
    report = take_in(WANG.replace("resident", "warden"), LI)
    assert (report.rows, report.added, report.updated) == (2, 1, 1)
    with places.read() as work:
        (wang,) = work.recipients.by_phone_key(vault.key_of("+12025550142"))
    assert wang.role == "warden"
    assert wang.opted_out_at is not None


def test_repeated_rows_are_counted_and_one_number_may_follow_two_areas(take_in, places: SqlStore) -> None:  # type: ignore[no-untyped-def]
    spaced = WANG.replace("+12025550142", "+1 (202) 555-0142")
    report = take_in(WANG, spaced, WANG.replace("370687", "370682"))
    assert report == ImportReport(3, 2, 1)


BAD = {
    "not-a-number": "hello,370687,zh,resident,form",
    "not-a-number without country": "2025550142,370687,zh,resident,form",
    "invalid-number": "+12025,370687,zh,resident,form",
    "invalid-number of no area code": "+19992550142,370687,zh,resident,form",
    "invalid-number with extension": "+12025550142 ext. 5,370687,zh,resident,form",
    "unknown-area": "+12025550142,999999,zh,resident,form",
    "unknown-language": "+12025550142,370687,fr,resident,form",
    "unknown-role": "+12025550142,370687,zh,king,form",
    "consent": "+12025550142,370687,zh,resident, ",
    "cells": "+12025550142,370687,zh,resident",
    "not-csv": '"+12025550142,370687,zh,resident,form',
    "contradiction": "+12025550142,370687,en,resident,form 2026-05-01",
}


@pytest.mark.parametrize("why", BAD)
def test_one_bad_row_and_nothing_is_imported(take_in, places: SqlStore, why: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(Refused, match=f"recipients.{why.split(' ')[0]}:") as refusal:
        take_in(LI, WANG, BAD[why])
    assert refusal.value.facts["line"] == 4
    assert held(places) == 0
    with places.read() as work:
        assert work.ledger.head() is None
    for language in LANGUAGES:
        line = explain(refusal.value, language)
        assert "people.csv" in line
        assert not re.search(r"\d{7}|555", line)


@pytest.mark.parametrize("head", ["phone,area", HEAD + ",name", "<html>", HEAD.replace(",", ";")])
def test_other_columns_are_refused(take_in, head: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(Refused, match="columns"):
        take_in(WANG, head=head)


def test_an_empty_file_is_refused(take_in) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(Refused, match="empty"):
        take_in()


@pytest.mark.parametrize(("body", "key"), [(b"\xff\xfe\x00p", "not-text"), (b"", "columns"), (b"a\x00b\n", "columns")])
def test_what_is_no_csv_is_refused(
    places: SqlStore, vault: Vault, clock: Clock, tmp_path: Path, body: bytes, key: str
) -> None:
    file = tmp_path / "people.csv"
    file.write_bytes(body)
    with pytest.raises(Refused, match=key):
        import_recipients(places, vault, clock, file, ACTOR)
    with pytest.raises(Refused, match="unreadable"):
        import_recipients(places, vault, clock, tmp_path / "none.csv", ACTOR)


@pytest.mark.parametrize("area_code", ["202", "535", "999"])
def test_numbers_kept_for_fiction_are_taken_whatever_their_area_code(take_in, area_code: str) -> None:  # type: ignore[no-untyped-def]
    assert take_in(f"+1{area_code}5550100,370687,zh,resident,demo").added == 1


def test_a_byte_order_mark_and_empty_lines_do_no_harm(
    places: SqlStore, vault: Vault, clock: Clock, tmp_path: Path
) -> None:
    file = tmp_path / "people.csv"
    file.write_text(f"\ufeff{HEAD}\r\n\r\n{WANG}\r\n", encoding="utf-8")
    assert import_recipients(places, vault, clock, file, ACTOR).added == 1


def test_an_export_needs_a_reason_and_leaves_an_entry(  # type: ignore[no-untyped-def]
    take_in, places: SqlStore, vault: Vault, clock: Clock, tmp_path: Path
) -> None:
    take_in(WANG, LI)
    with places.begin() as work:
        work.recipients.opt_out(vault.key_of("+8613812345678"), clock.now())
        work.commit()
    out = tmp_path / "out.csv"
    with pytest.raises(Refused, match="reason-missing"):
        export_recipients(places, vault, clock, out, " ", ACTOR)
    assert not out.exists()
    assert export_recipients(places, vault, clock, out, "court order 7", ACTOR) == 1
    assert list(csv.reader(out.read_text("utf-8").splitlines())) == [HEAD.split(","), WANG.split(",")]
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    with places.read() as work:
        entry = work.ledger.head()
    assert entry is not None
    assert (entry.kind, entry.payload) == ("recipients.exported", '{"count":1,"reason":"court order 7"}')
    with pytest.raises(Refused, match="not-written"):
        export_recipients(places, vault, clock, out, "again", ACTOR)


def test_many_rows_come_in_and_progress_is_told(places: SqlStore, vault: Vault, clock: Clock, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    numbers = (f"+1{code}55501{last:02d}" for code in range(201, 250) for last in range(100))
    rows = (f"{number},370687,zh,resident,form" for number in itertools.islice(numbers, 4500))
    file.write_text("\n".join((HEAD, *rows)), encoding="utf-8")
    told: list[int] = []
    assert import_recipients(places, vault, clock, file, ACTOR, told.append).added == 4500
    assert told == [1000, 2000, 3000, 4000, 4500]


def test_a_mask_tells_country_and_two_digits_only() -> None:
    assert mask_phone(1, "+12025550142") == "+1 *** *** **42"
