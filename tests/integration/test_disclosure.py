"""A pack can be checked offline, and one changed byte is found and named (house rule 13)."""

from __future__ import annotations

import random
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from geowarn.bootstrap import System
from geowarn.domain.errors import Refused
from geowarn.domain.level import Level
from geowarn.pipeline.actor import Actor
from geowarn.pipeline.disclose import Signer, save_pack
from geowarn.pipeline.propose import propose_by_hand
from geowarn.pipeline.release import release
from geowarn.pipeline.signoff import sign
from geowarn.pipeline.verify_pack import read_pack, verify_pack
from geowarn.security import load_signing_key, public_key_text, sign_text, verify_text

Officer = Callable[[str], Actor]


@pytest.fixture
def pack(demo_system: System, officer: Officer, tmp_path: Path) -> Path:
    desk = demo_system.desk
    proposal = propose_by_hand(desk, {"370687": Level.YELLOW}, 24, "裂缝", "巡查", officer("duty"))
    for name in ("duty", "leader", "observatory"):
        sign(desk, proposal.warning_id, officer(name))
    bulletin = release(desk, proposal.warning_id, officer("duty"))
    key = load_signing_key(demo_system.keys_dir)
    signer = Signer(lambda body: sign_text(key, body), public_key_text(key))
    out = tmp_path / "pack.zip"
    with_ = (demo_system.store, demo_system.clock, demo_system.templates, demo_system.raw_dir, signer)
    save_pack(*with_, bulletin.slug, out)
    return out


def test_a_fresh_pack_holds(pack: Path) -> None:
    report = verify_pack(pack, verify_text)
    assert report.bulletins == 1
    assert report.entries > 5


def test_no_number_is_in_the_pack(pack: Path, demo_system: System) -> None:
    with demo_system.store.read() as work:
        keys = {recipient.phone_key for recipient in work.recipients.all()}
    for path, body in read_pack(pack).items():
        text = body.decode("utf-8", "ignore")
        assert not re.search(r"\+1\d{10}", text), path
        assert not any(key in text for key in keys), path


def rewritten(pack: Path, name: str, body: bytes, out: Path) -> Path:
    files = read_pack(pack) | {name: body}
    with zipfile.ZipFile(out, "w") as archive:
        for path, content in files.items():
            archive.writestr(path, content)
    return out


def test_one_changed_byte_in_any_file_is_named(pack: Path, tmp_path: Path) -> None:
    chance = random.Random(7)
    for name, body in read_pack(pack).items():
        place = chance.randrange(len(body))
        changed = body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :]
        with pytest.raises(Refused) as refusal:
            verify_pack(rewritten(pack, name, changed, tmp_path / "changed.zip"), verify_text)
        named = str(refusal.value.facts.get("entry", ""))
        assert named in (name, "manifest.json", "") or refusal.value.key == "disclose.ledger-wrong", name
        if name not in ("manifest.json", "manifest.sig.json"):
            assert named == name


def test_a_flipped_byte_of_the_archive_never_passes_unless_nothing_read_changed(pack: Path, tmp_path: Path) -> None:
    whole, before = pack.read_bytes(), read_pack(pack)
    chance = random.Random(11)
    for _ in range(60):
        place = chance.randrange(len(whole))
        copy = tmp_path / "flipped.zip"
        copy.write_bytes(whole[:place] + bytes([whole[place] ^ (1 << chance.randrange(8))]) + whole[place + 1 :])
        try:
            verify_pack(copy, verify_text)
        except Refused:
            continue
        assert read_pack(copy) == before  # a bit of the archive's own bookkeeping, no content


def test_a_file_added_or_left_out_is_named(pack: Path, tmp_path: Path) -> None:
    with pytest.raises(Refused) as refusal:
        verify_pack(rewritten(pack, "extra.txt", b"x", tmp_path / "more.zip"), verify_text)
    assert refusal.value.facts["entry"] == "extra.txt"


def test_something_else_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "other.zip"
    other.write_bytes(b"not a zip")
    with pytest.raises(Refused) as refusal:
        verify_pack(other, verify_text)
    assert refusal.value.key == "disclose.not-a-pack"
