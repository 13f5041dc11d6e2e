"""What every test may ask for: the programs of the system that some need, and empty databases."""

import logging
import os
import pwd
import shlex
import shutil
import socket
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, NoReturn
from uuid import uuid4

import pytest
import structlog
from hypothesis import settings
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from athanor.kernel.database.database import Database
from athanor.kernel.database.migrating import upgrade

# A machine that is busy with something else makes no property false.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
POSTGRESQL_URL = "ATHANOR_TEST_POSTGRESQL_URL"
# Debian's places for servers come last; each version of PostgreSQL has one of its own.
_PLACES = os.pathsep.join(
    (os.environ.get("PATH", os.defpath), "/usr/sbin", *map(str, Path("/usr/lib/postgresql").glob("*/bin")))
)
_QUICK = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}  # none of it outlives the tests


@pytest.fixture(scope="session")
def require_chromium() -> Path:
    """The browser's program, for Playwright's `executable_path`. Without one the test is skipped; in CI it fails."""
    return _program("Chromium", *BROWSERS)


@pytest.fixture(scope="session")
def require_mosquitto() -> Path:
    """The broker's program. Without one the test is skipped; in CI it fails."""
    return _program("Mosquitto", "mosquitto")


@pytest.fixture(scope="session")
def require_slapd() -> Path:
    """OpenLDAP's server. Without one the test is skipped; in CI it fails."""
    return _program("OpenLDAP", "slapd")


@pytest.fixture(scope="session")
def require_postgresql() -> Iterator[str]:
    """The address of a database server's first database, for an account that may make others.

    ATHANOR_TEST_POSTGRESQL_URL names it; else a server is started and ends with the tests. Without PostgreSQL the test
    is skipped; in CI it fails.
    """
    if given := os.environ.get(POSTGRESQL_URL):
        yield given
        return
    programs, account = _program("PostgreSQL", "initdb").resolve().parent, _account()
    with tempfile.TemporaryDirectory(prefix="athanor-") as name:  # pytest's own folders let no other user in
        folder = Path(name)
        os.chown(folder, account.get("user", -1), account.get("group", -1))
        port = _free_port()

        def run(program: str, *arguments: str) -> None:
            with (folder / "log").open("a+", encoding="utf-8") as log:  # the server goes on writing into it
                command = [str(programs / program), "--pgdata", str(folder / "data"), *arguments]
                ended = subprocess.run(command, cwd=folder, stdout=log, stderr=log, check=False, **account)
                log.seek(0)
                assert ended.returncode == 0, f"{shlex.join(command)} failed: {log.read()}"

        run("initdb", "--no-sync", "--auth=trust", "--username=athanor", "--encoding=UTF8", "--locale=C")
        settings = _QUICK | {"listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": folder}
        run("pg_ctl", "start", "--wait", "--options", shlex.join(f"--{key}={value}" for key, value in settings.items()))
        yield f"postgresql+asyncpg://athanor@127.0.0.1:{port}/postgres"
        run("pg_ctl", "stop", "--wait", "--mode", "immediate")


@pytest.fixture
async def postgresql_url(require_postgresql: str) -> AsyncIterator[str]:
    """An empty database on PostgreSQL, of the test's own."""
    server = create_async_engine(require_postgresql, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    name = f"athanor_test_{uuid4().hex}"
    async with server.connect() as connection:
        await connection.execute(text(f"CREATE DATABASE {name}"))
    yield server.url.set(database=name).render_as_string(hide_password=False)
    async with server.connect() as connection:
        await connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


def _program(title: str, *names: str) -> Path:
    found = next((path for name in names if (path := shutil.which(name, path=_PLACES))), None)
    if found is None:
        _leave_out(f"{title} is not installed; scripts/install-test-tools says how to enable this test.")
    return Path(found)


def _account() -> dict[str, Any]:
    """As whom PostgreSQL's programs run, for `subprocess`: whoever runs the tests or, for root, Debian's own user."""
    if os.geteuid() != 0:
        return {}
    try:
        postgres = pwd.getpwnam("postgres")
    except KeyError:
        _leave_out("PostgreSQL refuses to run as root, and there is no user postgres: run the tests as another user.")
    return {"user": postgres.pw_uid, "group": postgres.pw_gid, "extra_groups": []}


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _leave_out(reason: str) -> NoReturn:
    if os.environ.get("ATHANOR_TEST_REQUIRE_ALL") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    """Commands that a test runs in this process say how to log; the next test is not to hear of it."""
    root = logging.getLogger()
    level = root.level
    yield
    structlog.reset_defaults()
    root.setLevel(level)
    for handler in [one for one in root.handlers if type(one) is logging.StreamHandler]:
        root.removeHandler(handler)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path}/athanor.db"
    return str(request.getfixturevalue("postgresql_url"))


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A database with all tables, empty."""
    await upgrade(database_url)
    opened = Database(database_url)
    yield opened
    await opened.close()
