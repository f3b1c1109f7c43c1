"""What others wrote and we serve: the very bytes that were taken, and nothing else beside them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import geowarn
import geowarn_channels
from geowarn.domain.canonical import sha256_hex
from geowarn_channels.taken import vendored

VENDOR = Path(str(geowarn.__file__)).parent / "web" / "static" / "vendor"
TAKEN = Path(str(geowarn_channels.__file__)).parent / "vendor"


@pytest.mark.parametrize("folder", [VENDOR, TAKEN])
def test_every_vendored_file_has_the_digest_it_was_taken_with(folder: Path) -> None:
    known = json.loads((folder / "vendor.json").read_bytes())["files"]
    found = {path.name: sha256_hex(path.read_bytes()) for path in folder.iterdir() if path.name != "vendor.json"}
    assert found == known
    assert folder == VENDOR or vendored().keys() == known.keys()


def test_pages_name_only_scripts_that_are_there() -> None:
    from re import findall

    from geowarn.resources import templates_dir

    named = {
        path
        for page in (templates_dir() / "console").glob("*.j2")
        for path in findall(r'src="/console/static/([^"]+)"', page.read_text("utf-8"))
    }
    assert len(named) >= 3
    assert all((VENDOR.parent / path).is_file() for path in named)
