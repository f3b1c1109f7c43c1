"""A pack is written piece by piece, and equal content gives equal bytes."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.conftest import FakeClock
from tests.contract import store_rows as rows

from geowarn.pipeline import pack_file
from geowarn.pipeline.disclose import Signer, write_pack
from geowarn.pipeline.pack_file import PackFile, pieces_of
from geowarn.store.unit_of_work import SqlStore
from geowarn.templating import JinjaTemplates


def written(*files: tuple[str, bytes]) -> tuple[bytes, dict[str, str]]:
    out = io.BytesIO()
    with PackFile(out) as pack:
        for path, body in files:
            pack.put(path, [body[:2], body[2:]])
    return out.getvalue(), pack.digests


def test_equal_content_gives_equal_bytes_and_the_first_of_a_name_stays() -> None:
    archive, digests = written(("a.txt", b"first"), ("b.txt", b"other"), ("a.txt", b"second"))
    assert archive == written(("a.txt", b"first"), ("b.txt", b"other"))[0]
    assert digests == {"a.txt": hashlib.sha256(b"first").hexdigest(), "b.txt": hashlib.sha256(b"other").hexdigest()}
    with zipfile.ZipFile(io.BytesIO(archive)) as read:
        assert {name: read.read(name) for name in read.namelist()} == {"a.txt": b"first", "b.txt": b"other"}


def test_a_forecast_is_never_in_memory_as_a_whole(
    store: SqlStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with store.begin() as work:
        work.areas.save_all([rows.area()])
        work.rules.save(rows.rules())
        for number in (1, 2):
            work.forecasts.add(rows.forecast(number))
            (tmp_path / f"{number:064x}").write_bytes(b"rain %d" % number)
        work.assessments.add(rows.run())
        work.warnings.add(rows.warning())
        said = replace(rows.content(), assessment_id="a-1")
        work.proposals.add(rows.proposal(1, said), rows.package_of(said))
        work.commit()
    monkeypatch.setattr(pack_file, "_PIECE", 4)
    monkeypatch.setattr(Path, "read_bytes", lambda path: pytest.fail(f"{path.name} is read as a whole"))
    signer, out = Signer(lambda body: "s", "k"), io.BytesIO()
    made = write_pack(store, FakeClock(), JinjaTemplates(), tmp_path, signer, "w-1", out)
    with zipfile.ZipFile(out) as read:
        names = read.namelist()
        assert [read.read(f"raw/{number:064x}") for number in (1, 2)] == [b"rain 1", b"rain 2"]
        manifest = json.loads(read.read("manifest.json"))
    assert made.files == len(names) == len(manifest["files"]) + 2
    assert {"assessments/a-1.json", f"rules/{'d' * 64}.toml", "ledger.jsonl"} <= set(names)


def test_a_piece_is_written_before_the_next_is_read(tmp_path: Path) -> None:
    chance = hashlib.shake_256(b"does not shrink").digest(1 << 21)
    (tmp_path / "raw").write_bytes(chance)
    out = io.BytesIO()
    before: list[tuple[int, bool]] = []

    def watched() -> Iterator[bytes]:
        for piece in pieces_of(tmp_path / "raw"):
            before.append((len(piece), out.tell() > sum(size for size, _ in before) // 2))
            yield piece

    with PackFile(out) as pack:
        pack.put("raw", watched())
    assert before == [(1 << 20, True)] * 2
    assert pack.digests["raw"] == hashlib.sha256(chance).hexdigest()
