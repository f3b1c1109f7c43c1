"""The source roots stay source roots: nothing importable lies directly in a top-level folder."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import warnings
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]


@pytest.mark.parametrize("folder", ["warnings", "channels", "templates", "config"])
def test_no_python_directly_in(folder: str) -> None:
    assert not list((TOP / folder).glob("*.py")), "it would shadow the standard library: docs/adr/0001-source-roots.md"


@pytest.mark.parametrize("folder", ["templates", "config"])
def test_no_python_anywhere_in(folder: str) -> None:
    assert not list((TOP / folder).rglob("*.py"))


def test_tests_are_no_package() -> None:
    assert not list((TOP / "tests").rglob("__init__.py"))


def test_the_standard_library_keeps_its_warnings() -> None:
    assert Path(str(warnings.__file__)).is_relative_to(sysconfig.get_path("stdlib"))


def test_warnings_stays_itself_from_the_top_of_the_checkout() -> None:
    code = "import warnings, asyncio; warnings.warn; print(warnings.__file__)"
    found = subprocess.run([sys.executable, "-c", code], cwd=TOP, capture_output=True, text=True, check=True)
    assert str(TOP / "warnings") not in found.stdout


def test_import_contracts_hold() -> None:
    lint_imports = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([lint_imports, "--no-cache"], cwd=TOP, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
