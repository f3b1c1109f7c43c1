"""What every test may ask for: a clock to set, and a store on each kind of database."""

from __future__ import annotations

import os
import shlex
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from argon2 import PasswordHasher
from hypothesis import HealthCheck, settings
from sqlalchemy import create_engine, make_url, text
from tests.programs import missing
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

from geowarn import security
from geowarn.security import FileVault, create_keys
from geowarn.store.unit_of_work import SqlStore
from geowarn.store.upgrade import upgrade

# How long an example takes says how busy the machine is, not whether a property holds.
settings.register_profile("geowarn", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("geowarn")
# The sheet of A4 takes half a second of every publication; its own tests switch it on.
os.environ["GEOWARN_SITE__PRINT_MAP"] = "false"

NOON = datetime(2026, 7, 23, 4, 0, tzinfo=UTC)  # 12:00 in Yantai
REQUIRED = "GEOWARN_REQUIRE_POSTGRES"
GIVEN = "GEOWARN_TEST_POSTGRES"  # address of a server on which databases may be created


# Those that wait longest begin first, so that no worker is left alone with one of them at the end.
_ORDER = ("e2e", "integration", "packaging", "contract", "fuzz", "unit")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """In the order above, files as they are."""
    here = Path(__file__).parent

    def turn(item: pytest.Item) -> int:
        folder = item.path.relative_to(here).parts[0] if item.path.is_relative_to(here) else ""
        return _ORDER.index(folder) if folder in _ORDER else len(_ORDER)

    items.sort(key=turn)


class _Together(LoadScopeScheduling):  # type: ignore[misc]
    """A file stays on one worker, and every browser test on the same one.

    What they share (a served installation, the windows of its people, a season of rain) is then made once.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        shared = "/e2e/" in file and "whole_walk" not in file  # the walk has an installation and windows of its own
        return "browser" if shared else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> _Together | None:
    return _Together(config, log) if config.getvalue("dist") == "loadfile" else None


@dataclass
class FakeClock:
    """A clock that stands still until a test moves it."""

    moment: datetime = field(default=NOON)

    def now(self) -> datetime:
        return self.moment

    def advance(self, **step: float) -> datetime:
        self.moment += timedelta(**step)
        return self.moment


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


SHIPPED_HASHER = security._hasher


@pytest.fixture(scope="session", autouse=True)
def _cheap_passwords() -> None:
    """The same Argon2id at a lower cost: as shipped each log-in takes a quarter of a second, and tests log in often."""
    security._hasher = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)


@pytest.fixture
def vault(tmp_path: Path) -> FileVault:
    create_keys(tmp_path / "keys")
    return FileVault(tmp_path / "keys")


@pytest.fixture
def store() -> Iterator[SqlStore]:
    """A migrated store in memory, the same code as every other."""
    opened = SqlStore.in_memory()
    yield opened
    opened.dispose()


# --- PostgreSQL ----------------------------------------------------------------------------------------------------


def _programs() -> Path | None:
    newest = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    on_path = shutil.which("initdb")
    if newest:
        return newest[-1].parent
    return Path(on_path).resolve().parent if on_path else None


def _unprivileged() -> str | None:
    """The server refuses to run as root."""
    return "nobody" if os.geteuid() == 0 else None


def _run(*command: str | Path) -> None:
    done = subprocess.run(
        [*map(str, command)], user=_unprivileged(), cwd="/", capture_output=True, text=True, timeout=60
    )
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed: {done.stdout}{done.stderr}")


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _programs_or_not_run() -> Path:
    found = _programs()
    if found is not None:
        return found
    missing(REQUIRED, "PostgreSQL")


def _started(programs: Path, data: Path, log: Path) -> int:
    """Start a server and return its port; somebody else may take a free port before it does."""
    for left in reversed(range(5)):
        port = _free_port()
        options = (
            f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off -c max_connections=60"
        )
        try:
            _run(programs / "pg_ctl", "-D", data, "-l", log, "-o", options, "-w", "start")
        except RuntimeError:
            if not left:
                raise
            continue
        return port
    raise AssertionError("not reached")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The address of a PostgreSQL server: the one given, or one of our own that ends with the tests."""
    if given := os.environ.get(GIVEN):
        yield given
        return
    programs = _programs_or_not_run()
    # Not below pytest's own folder, which only its owner may enter.
    folder = Path(tempfile.mkdtemp(prefix="geowarn-postgres-"))
    if user := _unprivileged():
        shutil.chown(folder, user)
    data, log = folder / "data", folder / "log"
    _run(programs / "initdb", "-D", data, "-U", "geowarn", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")
    port = _started(programs, data, log)
    stop = [str(part) for part in (programs / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")]
    # Waits for the end of its input, which comes with the end of the tests however they end.
    ending = f"cat; {shlex.join(stop)}; rm -rf {shlex.quote(str(folder))}"
    with subprocess.Popen(
        ["/bin/sh", "-c", ending], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, user=_unprivileged(), cwd="/"
    ):
        yield f"postgresql+psycopg://geowarn@127.0.0.1:{port}/postgres"


def _administer(server: str, statement: str) -> None:
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()


@pytest.fixture(scope="session")
def _postgres_template(postgres_server: str) -> Iterator[str]:
    """A migrated database that every test's own is copied from."""
    name = f"geowarn_template_{uuid4().hex[:8]}"
    _administer(postgres_server, f"CREATE DATABASE {name}")
    upgrade(make_url(postgres_server).set(database=name).render_as_string(hide_password=False))
    yield name
    _administer(postgres_server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def empty_postgres(postgres_server: str) -> Iterator[str]:
    """The address of an empty database of the test's own."""
    name = f"geowarn_{uuid4().hex[:8]}"
    _administer(postgres_server, f"CREATE DATABASE {name}")
    yield make_url(postgres_server).set(database=name).render_as_string(hide_password=False)
    _administer(postgres_server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def postgres_url(postgres_server: str, _postgres_template: str) -> Iterator[str]:
    """The address of a migrated database of the test's own."""
    name = f"geowarn_{uuid4().hex[:8]}"
    _administer(postgres_server, f"CREATE DATABASE {name} TEMPLATE {_postgres_template}")
    yield make_url(postgres_server).set(database=name).render_as_string(hide_password=False)
    _administer(postgres_server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The address of a migrated SQLite file of the test's own."""
    url = f"sqlite:///{tmp_path / 'geowarn.db'}"
    upgrade(url)
    return url


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A migrated database that several processes can share, of each kind."""
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def any_store(request: pytest.FixtureRequest) -> Iterator[SqlStore]:
    """A migrated store on each kind of database."""
    if request.param == "memory":
        opened = SqlStore.in_memory()
    else:
        opened = SqlStore(request.getfixturevalue(f"{request.param}_url"))
    yield opened
    opened.dispose()


@pytest.fixture
def shared_store(database_url: str) -> Iterator[SqlStore]:
    """A migrated store that many threads use at once, on each kind of database."""
    opened = SqlStore(database_url)
    yield opened
    opened.dispose()
