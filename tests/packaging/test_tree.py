"""The tree speaks of no machine: no registry, no home folder, no address in the lock."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

TOP = Path(__file__).parents[2]
REGISTRIES = ("files.python" + "hosted.org", "pypi.org" + "/simple", "registry.npm" + "js.org")
MACHINE_PATH = re.compile(r"(^|[^A-Za-z0-9_.:/])/(work|root|farm|home/[a-z]+|Users/[A-Za-z]+)/", re.MULTILINE)
PINNED = re.compile(r"^([a-z0-9.-]+)==(\S+)((?: \\\n    --hash=sha256:[0-9a-f]{64})+)$", re.MULTILINE)


def tracked() -> list[Path]:
    """Files that git keeps; every file of the tree where it is not a git checkout."""
    try:
        done = subprocess.run(["git", "ls-files", "-z"], cwd=TOP, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        done = None
    if done and done.returncode == 0:
        return [path for name in done.stdout.split("\0") if name and (path := TOP / name).is_file()]
    own = ("warnings", "channels", "templates", "config", "tests", "docs", "bench", "deploy")
    return [path for folder in own for path in (TOP / folder).rglob("*") if path.is_file()]


def texts() -> dict[str, str]:
    found = {}
    for path in tracked():
        try:
            found[path.relative_to(TOP).as_posix()] = path.read_text("utf-8")
        except UnicodeDecodeError:
            continue  # a picture, a font, a forecast
    return found


def pins() -> dict[str, str]:
    return {name: version for name, version, _ in PINNED.findall((TOP / "requirements.lock").read_text("utf-8"))}


def requirements() -> list[str]:
    project = tomllib.loads((TOP / "pyproject.toml").read_text("utf-8"))
    extras = project["project"]["optional-dependencies"].values()
    return [
        *project["project"]["dependencies"],
        *(line for extra in extras for line in extra),
        *project["dependency-groups"]["dev"],
    ]


def test_no_file_names_a_registry() -> None:
    assert not [(name, host) for name, text in texts().items() for host in REGISTRIES if host in text]


def test_no_file_names_a_path_of_one_machine() -> None:
    assert not [(name, hit.group(0)) for name, text in texts().items() if (hit := MACHINE_PATH.search(text))]


def test_the_lock_holds_nothing_but_pins_and_digests() -> None:
    lock = (TOP / "requirements.lock").read_text("utf-8")
    assert PINNED.sub("", lock).strip() == ""
    assert len(pins()) > 50


@pytest.mark.parametrize("line", requirements())
def test_the_lock_covers(line: str) -> None:
    wanted = Requirement(line)
    pinned = pins().get(canonicalize_name(wanted.name))
    assert pinned, f"{wanted.name} is not locked: make lock"
    assert wanted.specifier.contains(pinned), f"{wanted} does not allow {pinned}: make lock"
