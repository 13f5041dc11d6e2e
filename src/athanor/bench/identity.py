"""What proving who one is costs: sign-ins, permission checks, sessions looked up, entries of the audit trail."""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import cycle
from pathlib import Path
from time import perf_counter
from uuid import uuid4

from cryptography.fernet import Fernet
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from athanor.bench.figures import Figure, Report, at_most
from athanor.kernel.apps.registry import manifests
from athanor.kernel.database.database import Database
from athanor.kernel.database.migrating import upgrade
from athanor.kernel.identity.accounts import Profile
from athanor.kernel.identity.audit import record, verify
from athanor.kernel.identity.roles import Role
from athanor.kernel.identity.service import Identity
from athanor.kernel.identity.user import User
from athanor.kernel.vault import Vault

PARTS = ("sign-in", "permission", "session", "audit")
POSTGRESQL_URL = "ATHANOR_TEST_POSTGRESQL_URL"  # of an account that may make databases; tests use it, too

_PASSWORD = "correct horse battery staple"  # noqa: S105 of people who are gone with the benchmark
_AT_ONCE = 8  # people who sign in at the same time


def run(quick: bool, only: Sequence[str]) -> Report:  # noqa: FBT001 (every benchmark's own)
    """Measure on SQLite, and on PostgreSQL where the environment names one."""
    return asyncio.run(_run(quick=quick, parts=only or PARTS))


async def _run(*, quick: bool, parts: Sequence[str]) -> Report:
    figures: list[Figure] = []
    places = ["SQLite", *(["PostgreSQL"] if POSTGRESQL_URL in os.environ else [])]
    for place in places:
        async with AsyncExitStack() as stack:
            database = await stack.enter_async_context(_database(place))
            identity = Identity(database, Vault(Fernet.generate_key()))
            user = await _populate(identity)
            if "sign-in" in parts:
                figures.append(await _sign_ins(identity, place, attempts=16 if quick else 120))
            if "permission" in parts and place == places[0]:  # no database takes part
                figures.append(_permission(user, times=20_000 if quick else 500_000))
            if "session" in parts:
                figures += await _look_ups(identity, place, times=200 if quick else 5_000)
            if "audit" in parts:
                figures.append(await _audit(database, place, entries=100 if quick else 3_000))
    notes = [
        "Sign-ins are checked with Argon2id as in production (64 MiB, 3 passes, 4 lanes), two at a time.",
        "A permission is checked of a person with two built-in roles and one made here, over all permissions in turn.",
        "Each entry of the audit trail is a transaction of its own, and is on the disk when it returns.",
    ]
    if POSTGRESQL_URL not in os.environ:
        notes.append(f"Without PostgreSQL: {POSTGRESQL_URL} does not name one.")
    return Report(figures, notes)


async def _populate(identity: Identity) -> User:
    """One person for each who signs in at the same time; the first of them."""
    chemist = Role("chemist", {"en": "Chemist"}, ("quality.*", "lab.view", "alarms.view"))
    await identity.roles.keep(chemist, actor="bench")
    profile = Profile("Somebody", ("operator", "viewer", "chemist"), "copper")
    for number in range(_AT_ONCE):
        await identity.accounts.create(f"person-{number}", profile, _PASSWORD, actor="bench")
    user = await identity.sessions.user_of(await identity.sessions.open("person-0", actor="bench"))
    if user is None:
        raise RuntimeError("A session that was just begun holds nobody.")
    return user


async def _sign_ins(identity: Identity, place: str, *, attempts: int) -> Figure:
    each = attempts // _AT_ONCE

    async def person(number: int) -> None:
        for _ in range(each):
            await identity.sessions.sign_in(f"person-{number}", _PASSWORD)

    begun = perf_counter()
    await asyncio.gather(*(person(number) for number in range(_AT_ONCE)))
    rate = each * _AT_ONCE / (perf_counter() - begun)
    return Figure(f"sign-ins, {place}", rate, "1/s", compared_with=f"{_AT_ONCE} people at a time")


def _permission(user: User, *, times: int) -> Figure:
    known = sorted({one for manifest in manifests() for one in manifest.permissions}) or ["overview.view"]
    turns = cycle(known)
    user.may(known[0])
    begun = perf_counter()
    for _ in range(times):
        user.may(next(turns))
    cost_ms = (perf_counter() - begun) / times * 1e3
    return at_most("permission check, per request", cost_ms, "ms", 0.2, f"{len(known)} permissions")


async def _look_ups(identity: Identity, place: str, *, times: int) -> list[Figure]:
    session = await identity.sessions.open("person-0", actor="bench")
    costs: list[float] = []
    for _ in range(times):
        begun = perf_counter()
        await identity.sessions.user_of(session)
        costs.append((perf_counter() - begun) * 1e3)
    costs.sort()
    return [
        Figure(f"session look-up, {place}, median", costs[len(costs) // 2], "ms"),
        Figure(f"session look-up, {place}, 99th percentile", costs[int(len(costs) * 0.99)], "ms"),
    ]


async def _audit(database: Database, place: str, *, entries: int) -> Figure:
    begun = perf_counter()
    for number in range(entries):
        async with database.session() as session:
            record(session, "person-0", "bench.done", f"thing {number}", address="10.0.0.7", detail={"number": number})
    rate = entries / (perf_counter() - begun)
    verified = await verify(database)
    if not verified.is_whole:
        raise RuntimeError(f"The trail that was measured is not whole: {verified.fault}")
    return Figure(f"audit entries, {place}", rate, "1/s")


@asynccontextmanager
async def _database(place: str) -> AsyncIterator[Database]:
    """An empty database with all tables, gone with the block."""
    async with AsyncExitStack() as stack:
        if place == "SQLite":
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="athanor-bench-"))
            url = f"sqlite+aiosqlite:///{Path(folder)}/athanor.db"
        else:
            url = await stack.enter_async_context(_on_postgresql())
        await upgrade(url)
        database = Database(url)
        stack.push_async_callback(database.close)
        yield database


@asynccontextmanager
async def _on_postgresql() -> AsyncIterator[str]:
    server = create_async_engine(os.environ[POSTGRESQL_URL], isolation_level="AUTOCOMMIT")
    name = f"athanor_bench_{uuid4().hex}"
    async with server.connect() as connection:
        await connection.execute(text(f"CREATE DATABASE {name}"))
    try:
        yield server.url.set(database=name).render_as_string(hide_password=False)
    finally:
        async with server.connect() as connection:
            await connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        await server.dispose()
