"""The register of places that must answer: every bad row named, bad input changes nothing, no number shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.conftest import FakeClock
from tests.unit.calls_bench import AREAS, HAIYANG, TOWN, CallsBench, number_of

from geowarn.catalogue import explain
from geowarn.domain.calls import CallKind
from geowarn.domain.errors import Refused
from geowarn.domain.level import Level
from geowarn.pipeline.calls_keeping import keep_calls
from geowarn.pipeline.contact_file import MOST_NAMED
from geowarn.pipeline.contacts import Registered, import_contacts
from geowarn.security import FileVault
from geowarn.store.unit_of_work import SqlStore

HEAD = "area,kind,name_zh,name_en,place,order,phone\n"
ROOM = f"{HAIYANG},county,海阳市值班室,Haiyang duty room,海政路 1 号"
TOWN_ROOM = f"{TOWN},乡镇街道,留格庄镇值班室,Liugezhuang duty room,镇政府"


class Register:
    def __init__(self, store: SqlStore, vault: FileVault, folder: Path) -> None:
        self.store, self.vault, self.file = store, vault, folder / "contacts.csv"
        with store.begin() as work:
            work.areas.save_all(AREAS)
            work.commit()

    def take_in(self, *lines: str, head: str = HEAD) -> Registered:
        self.file.write_text(head + "\n".join(lines), "utf-8")
        return import_contacts(self.store, self.vault, FakeClock(), self.file, "test")

    def said(self, *lines: str, head: str = HEAD, language: str = "zh") -> str:
        with pytest.raises(Refused) as refusal:
            self.take_in(*lines, head=head)
        return explain(refusal.value, language)


@pytest.fixture
def register(store: SqlStore, vault: FileVault, tmp_path: Path) -> Register:
    return Register(store, vault, tmp_path)


def test_the_file_is_the_register(register: Register) -> None:
    first = register.take_in(f"{ROOM},1,+1 209 555 0101", f"{ROOM},2,+12095550102", f"{TOWN_ROOM},1,+12095550103")
    assert first == Registered(contacts=3, places=2, added=2, removed=0)
    with register.store.read() as work:
        room, second, town = work.contacts.all()
    assert (room.number, second.number, room.place) == (1, 2, second.place)
    assert (town.kind, town.area, town.county) == (CallKind.TOWNSHIP, TOWN, HAIYANG)
    assert room.phone_masked == "+1 *** *** **01"
    assert register.vault.open(room.phone_sealed) == "+12095550101"
    assert "555" not in repr(room)
    again = register.take_in(f"{ROOM},1,+12095550109")
    assert again == Registered(contacts=1, places=1, added=0, removed=1)
    with register.store.read() as work:
        (kept,) = work.contacts.all()
        entries = work.ledger.entries(subject="contacts")
    assert kept.place == room.place
    assert register.vault.open(kept.phone_sealed) == "+12095550109"
    assert [entry.kind for entry in entries] == ["contacts.imported"] * 2
    assert not [entry for entry in entries if "555" in entry.payload]


def test_a_number_that_leaves_the_register_leaves_what_was_called_too(
    store: SqlStore, vault: FileVault, tmp_path: Path
) -> None:
    bench = CallsBench(store, vault)
    bench.contacts(room=(CallKind.COUNTY, HAIYANG, 1), town=(CallKind.TOWNSHIP, TOWN, 1))
    bench.released({HAIYANG: Level.RED})
    Register(store, vault, tmp_path).take_in(f"{ROOM},1,{number_of('room', 1)}")
    calls = bench.calls()
    keys = {ask.call_id: ask.phone_key for ask in bench.asks()}
    assert keys == {calls["room"].id: vault.key_of(number_of("room", 1)), calls["town"].id: ""}
    bench.clock.advance(days=bench.rules.keep_days, hours=23)
    assert keep_calls(bench.desk()) == 0, "it ended with the validity, a day after the release"
    bench.clock.advance(hours=1)
    assert keep_calls(bench.desk()) == 1
    assert {ask.phone_key for ask in bench.asks()} == {""}
    assert keep_calls(bench.desk()) == 0
    assert bench.kinds()["contacts.forgotten"] == 1


def test_every_bad_row_is_named_and_nothing_is_changed(register: Register) -> None:
    register.take_in(f"{ROOM},1,+12095550101")
    with register.store.read() as work:
        before = work.contacts.all()
    bad = [
        "999999,county,甲,a,b,1,+12095550102",
        "370600,county,甲,a,b,1,+12095550102",
        f"{HAIYANG},province,甲,a,b,1,+12095550102",
        f"{HAIYANG},county,,a,b,1,+12095550102",
        f"{ROOM},0,+12095550102",
        f"{ROOM},2,13800138000",
        f"{ROOM},1",
        f"{ROOM},1,+12095550104",
        f"{ROOM},1,+12095550105",
        f"{HAIYANG},county,海阳市值班室,Other,海政路 1 号,2,+12095550106",
        f"{ROOM},2,+12095550104",
        f"{TOWN_ROOM},2,+12095550107",
    ]
    said = register.said(*bad)
    for line, column in ((2, "area"), (3, "area"), (4, "kind"), (5, "name_zh"), (6, "order"), (7, "phone"), (8, "格")):
        assert f"第 {line} 行" in said
        assert column in said
    for words in (
        "第 10 行 order：这个单位的第 1 联系人已在第 9 行",
        "第 11 行 name_en",
        "第 12 行 phone",
        "第 13 行 order",
    ):
        assert words in said
    assert "11 行有误" in said
    assert "13800138000" not in said
    assert "555" not in said
    with register.store.read() as work:
        assert work.contacts.all() == before
    many = [f"{HAIYANG},county,甲,a,b,x,+12095550102"] * (MOST_NAMED + 3)
    assert "另外 3 行" in register.said(*many)
    assert "And 3 more rows." in register.said(*many, language="en")


@pytest.mark.parametrize(
    ("body", "head", "words"),
    [
        ("", HEAD, "名册不能为空"),
        (f"{ROOM},1,+12095550101", "area,phone\n", "首行应为 area,kind"),
        ('"open', HEAD, "不是有效的 CSV"),
    ],
)
def test_a_file_that_is_no_register_is_refused(register: Register, body: str, head: str, words: str) -> None:
    assert words in register.said(body, head=head)


def test_what_cannot_be_read_is_said(register: Register) -> None:
    register.file.write_bytes("海阳".encode("gb18030"))
    with pytest.raises(Refused, match=r"contacts\.not-text"):
        import_contacts(register.store, register.vault, FakeClock(), register.file, "test")
    with pytest.raises(Refused, match=r"contacts\.unreadable"):
        import_contacts(register.store, register.vault, FakeClock(), register.file.with_name("none.csv"), "test")
