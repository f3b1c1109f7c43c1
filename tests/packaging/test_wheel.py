"""What users install: every module, template and setting, found again by name."""

from __future__ import annotations

import configparser
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
GOES_WHERE = {
    "warnings/geowarn": "geowarn",
    "channels/geowarn_channels": "geowarn_channels",
    "templates": "geowarn/templates",
    "config": "geowarn/config",
}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(out)]
    done = subprocess.run(command, cwd=TOP, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (path,) = out.glob("*.whl")
    return zipfile.ZipFile(path)


def shipped(folder: str) -> list[Path]:
    """Files below a folder, without what Python and editors leave behind."""
    return [p for p in (TOP / folder).rglob("*") if p.is_file() and "__pycache__" not in p.parts and p.suffix != ".pyc"]


@pytest.mark.parametrize(("folder", "package"), GOES_WHERE.items())
def test_every_file_is_in_it(wheel: zipfile.ZipFile, folder: str, package: str) -> None:
    wanted = {f"{package}/{path.relative_to(TOP / folder).as_posix()}" for path in shipped(folder)}
    assert wanted
    assert wanted <= set(wheel.namelist())


def test_nothing_else_is_importable(wheel: zipfile.ZipFile) -> None:
    tops = {name.split("/")[0] for name in wheel.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"geowarn", "geowarn_channels"}


def test_every_entry_point_leads_somewhere(wheel: zipfile.ZipFile) -> None:
    (listing,) = [name for name in wheel.namelist() if name.endswith("/entry_points.txt")]
    parser = configparser.ConfigParser(delimiters=("=",))
    parser.read_string(wheel.read(listing).decode())
    targets = [value.split(":")[0].replace(".", "/") for group in parser.sections() for value in parser[group].values()]
    assert targets
    names = set(wheel.namelist())
    assert not [target for target in targets if not {f"{target}.py", f"{target}/__init__.py"} & names]


def test_the_licence_travels_along(wheel: zipfile.ZipFile) -> None:
    names = {name.rsplit("/", 1)[-1] for name in wheel.namelist() if ".dist-info/licenses/" in name}
    assert {"LICENSE", "NOTICE"} <= names
