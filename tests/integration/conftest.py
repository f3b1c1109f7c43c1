"""A demo installation, made once and copied for each test."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from geowarn.bootstrap import System, open_system
from geowarn.demo.play import code_of
from geowarn.demo.setting import free_port, open_demo, put_on_duty
from geowarn.domain.people import SignOff
from geowarn.pipeline.actor import Actor, find_user
from geowarn.pipeline.signoff import sign
from geowarn.ports import Clock
from geowarn.resources import config_dir

ZONE = ZoneInfo("Asia/Shanghai")  # the demo's


class SettableClock:
    """A clock a test moves by hand."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def now(self) -> datetime:
        return self.moment

    def advance(self, **step: float) -> None:
        self.moment += timedelta(**step)


def _without_secrecy_check(folder: Path) -> None:
    """The installation's own policy asks for no secrecy check: tests that are about other steps need no checker.

    `shipped_policy` takes it away again.
    """
    shipped = (config_dir() / "policy.toml").read_text("utf-8")
    own = folder / "config" / "policy.toml"
    own.parent.mkdir(exist_ok=True)
    own.write_text(re.sub(r"(?m)^secrecy_levels = .*$", "secrecy_levels = []", shipped), "utf-8")


@pytest.fixture
def shipped_policy(demo_folder: Path) -> None:
    """Ask for it before `demo_system`: the installation then follows the policy as shipped."""
    (demo_folder / "config" / "policy.toml").unlink()


def _forenoon() -> datetime:
    """10:37 of tomorrow: whatever hour the suite runs at, a test that sets the clock begins at this one.

    Tomorrow, because keys and certificates were made just now.
    """
    day = datetime.now(ZONE) + timedelta(days=1)
    return day.replace(hour=10, minute=37, second=12, microsecond=345678).astimezone(UTC)


@pytest.fixture(scope="session")
def demo_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo with its people, and nobody on duty yet."""
    folder = tmp_path_factory.mktemp("demo") / "data"
    system = open_demo(folder, free_port())
    _without_secrecy_check(folder)
    system.store.dispose()
    return folder


def _on_duty(base: Path, folder: Path, clock: Clock | None) -> Path:
    shutil.copytree(base, folder)
    system = open_system(folder, clock)
    put_on_duty(system)
    system.store.dispose()
    return folder


@pytest.fixture(scope="session")
def demo_now(demo_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With people on duty from this hour on, for tests whose processes read the machine's clock."""
    return _on_duty(demo_base, tmp_path_factory.mktemp("demo-now") / "data", None)


@pytest.fixture(scope="session")
def demo_forenoon(demo_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With people on duty from the hour on at which a clock that a test sets begins."""
    return _on_duty(demo_base, tmp_path_factory.mktemp("demo-forenoon") / "data", SettableClock(_forenoon()))


@pytest.fixture
def demo_folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    sets_the_clock = "settable_clock" in request.fixturenames and "machine_time" not in request.fixturenames
    template: Path = request.getfixturevalue("demo_forenoon" if sets_the_clock else "demo_now")
    return Path(shutil.copytree(template, tmp_path / "data"))


@pytest.fixture
def machine_time() -> None:
    """Ask for it where a command of the test's reads the machine's clock: the clock to be set then begins there."""


@pytest.fixture
def settable_clock(request: pytest.FixtureRequest) -> SettableClock:
    return SettableClock(datetime.now(UTC) if "machine_time" in request.fixturenames else _forenoon())


@pytest.fixture
def demo_system(demo_folder: Path, settable_clock: SettableClock) -> Iterator[System]:
    system = open_system(demo_folder, settable_clock)
    yield system
    system.store.dispose()


def fresh_code(system: System, name: str) -> str:
    """The code a demo person reads off the generator; where all of this moment are used, the next one is waited for."""
    if not code_of(system, name) and isinstance(system.clock, SettableClock):
        system.clock.advance(seconds=30)
    return code_of(system, name)


def signed(system: System, warning_id: str, actor: Actor) -> SignOff:
    """Sign with the right code."""
    return sign(system.desk, warning_id, actor, code=fresh_code(system, actor.user.name))


@pytest.fixture
def officer(demo_system: System) -> Callable[[str], Actor]:
    def named(name: str) -> Actor:
        with demo_system.store.read() as work:
            return Actor(find_user(work, name), "command line", "test")

    return named
