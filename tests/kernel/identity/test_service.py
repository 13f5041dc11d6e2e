import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from argon2 import PasswordHasher
from cryptography.fernet import Fernet
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from athanor.kernel.database.database import Database
from athanor.kernel.errors import NotFoundError
from athanor.kernel.identity.accounts import LoginTakenError, Profile
from athanor.kernel.identity.passwords import Passwords, WeakPasswordError
from athanor.kernel.identity.service import Identity
from athanor.kernel.identity.sessions import FREE_ATTEMPTS, SignInRefusedError, Where
from athanor.kernel.identity.tables import AuditRow, EdgeTokenRow, SessionRow, UserRow
from athanor.kernel.vault import Vault

PASSWORD = "correct horse battery"
VAULT = Vault(Fernet.generate_key())
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)  # Argon2id all the same


class Clock:
    def __init__(self) -> None:
        self.time = datetime(2024, 2, 29, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time

    def forward(self, **duration: float) -> None:
        self.time += timedelta(**duration)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def identity(database: Database, clock: Clock) -> Identity:
    service = Identity(database, VAULT, passwords=Passwords(QUICK), now=clock)
    await service.accounts.create("anna", Profile("Anna", ("operator",), "copper"), PASSWORD, actor="test")
    return service


async def actions(database: Database) -> Sequence[tuple[str, str, str]]:
    async with database.reading() as session:
        rows = await session.execute(select(AuditRow.actor, AuditRow.action, AuditRow.address).order_by(AuditRow.id))
        return [(row.actor, row.action, row.address) for row in rows]


async def fail(identity: Identity, login: str = "anna", times: int = 1) -> SignInRefusedError:
    for _ in range(times):
        with pytest.raises(SignInRefusedError) as caught:
            await identity.sessions.sign_in(login, "wrong password")
    return caught.value


async def test_the_first_administrator_gets_a_password_once(database: Database) -> None:
    identity = Identity(database, VAULT, passwords=Passwords(QUICK))
    password = await identity.accounts.ensure_administrator()
    assert password is not None
    assert await identity.accounts.ensure_administrator() is None
    user = await identity.sessions.user_of(await identity.sessions.sign_in("admin", password))
    assert user is not None
    assert (user.role, user.tenants, user.may("anything.administer")) == ("administrator", None, True)


async def test_the_password_of_a_first_start_opens_nothing_but_choosing_another(database: Database) -> None:
    identity = Identity(database, VAULT, passwords=Passwords(QUICK))
    password = await identity.accounts.ensure_administrator(must_change=True)
    assert password is not None
    session = await identity.sessions.sign_in("admin", password)
    assert await identity.sessions.user_of(session) is None


async def test_one_signs_in_is_known_and_signs_out(identity: Identity, database: Database) -> None:
    token = await identity.sessions.sign_in("Anna ", PASSWORD, Where("10.0.0.7"))
    user = await identity.sessions.user_of(token)
    assert user is not None
    assert (user.login, user.name, user.role, user.tenants) == ("anna", "Anna", "operator", frozenset({"copper"}))
    await identity.sessions.sign_out(token, address="10.0.0.7")
    assert await identity.sessions.user_of(token) is None
    await identity.sessions.sign_out(token)  # no error, and no second line in the trail
    assert (await actions(database))[1:] == [
        ("anna", "identity.signed-in", "10.0.0.7"),
        ("anna", "identity.signed-out", "10.0.0.7"),
    ]


@pytest.mark.parametrize(("login", "password"), [("anna", "wrong password"), ("nobody", PASSWORD), ("", "")])
async def test_a_refusal_does_not_tell_who_exists(identity: Identity, login: str, password: str) -> None:
    with pytest.raises(SignInRefusedError) as caught:
        await identity.sessions.sign_in(login, password)
    assert str(caught.value) == "Login or password is wrong. Check both; an administrator can set a new password."


async def test_a_refusal_is_in_the_audit_trail(identity: Identity, database: Database) -> None:
    with pytest.raises(SignInRefusedError):
        await identity.sessions.sign_in("nobody", PASSWORD, Where("10.0.0.8"))
    assert (await actions(database))[-1] == ("nobody", "identity.sign-in-refused", "10.0.0.8")


@pytest.mark.parametrize("login", ["anna", "nobody"])
async def test_failures_lock_a_login_for_longer_each_time(identity: Identity, clock: Clock, login: str) -> None:
    assert (await fail(identity, login, times=FREE_ATTEMPTS)).retry_after_s is None
    waits = []
    for _ in range(9):
        refused = await fail(identity, login)
        assert refused.retry_after_s is not None
        waits.append(refused.retry_after_s)
        clock.forward(seconds=refused.retry_after_s)
        assert (await fail(identity, login)).retry_after_s is None
    assert waits == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]


async def test_the_right_password_waits_for_the_lock_and_lifts_it(identity: Identity, clock: Clock) -> None:
    await fail(identity, times=FREE_ATTEMPTS)
    with pytest.raises(SignInRefusedError, match="Try again in 30 s"):
        await identity.sessions.sign_in("anna", PASSWORD)
    clock.forward(seconds=31)
    await identity.sessions.sign_in("anna", PASSWORD)
    assert (await fail(identity, times=FREE_ATTEMPTS)).retry_after_s is None


async def test_many_attempts_at_once_are_no_way_round_the_lock(identity: Identity) -> None:
    results = await asyncio.gather(
        *(identity.sessions.sign_in("anna", f"guess number {number}") for number in range(20)), return_exceptions=True
    )
    tried = [error for error in results if isinstance(error, SignInRefusedError) and error.retry_after_s is None]
    assert len(tried) == FREE_ATTEMPTS


async def test_failures_are_forgotten_after_a_day(identity: Identity, clock: Clock) -> None:
    await fail(identity, times=FREE_ATTEMPTS - 1)
    clock.forward(days=1, seconds=1)
    assert (await fail(identity, times=FREE_ATTEMPTS)).retry_after_s is None


async def test_a_session_lasts_twelve_hours_from_the_last_request(identity: Identity, clock: Clock) -> None:
    token = await identity.sessions.sign_in("anna", PASSWORD)
    for _ in range(3):
        clock.forward(hours=11, minutes=59)
        assert await identity.sessions.user_of(token) is not None
    clock.forward(hours=12, seconds=1)
    assert await identity.sessions.user_of(token) is None


async def test_a_new_password_ends_sessions_and_locks(identity: Identity) -> None:
    token = await identity.sessions.sign_in("anna", PASSWORD)
    await fail(identity, times=FREE_ATTEMPTS)
    await identity.accounts.set_password("anna", "another horse battery", actor="admin")
    assert await identity.sessions.user_of(token) is None
    await identity.sessions.sign_in("anna", "another horse battery")
    assert (await fail(identity)).retry_after_s is None


async def test_only_hashes_are_stored(identity: Identity, database: Database) -> None:
    secrets = [PASSWORD, await identity.sessions.sign_in("anna", PASSWORD), await identity.edges.make()]
    stored = []
    async with database.reading() as session:
        for table in (UserRow, SessionRow, EdgeTokenRow, AuditRow):
            stored += (await session.execute(select(table.__table__))).all()
    assert not [secret for secret in secrets if secret in repr(stored)]
    assert "$argon2id$" in repr(stored)


async def test_a_hash_of_other_parameters_is_renewed_at_sign_in(identity: Identity, database: Database) -> None:
    stronger = PasswordHasher(time_cost=2, memory_cost=16, parallelism=1)
    await Identity(database, VAULT, passwords=Passwords(stronger)).sessions.sign_in("anna", PASSWORD)
    async with database.reading() as session:
        password_hash = await session.scalar(select(UserRow.password_hash))
    assert password_hash is not None
    assert not stronger.check_needs_rehash(password_hash)


async def test_two_accounts_cannot_have_one_login(identity: Identity) -> None:
    with pytest.raises(LoginTakenError):
        await identity.accounts.create("ANNA", Profile("Other", ("viewer",)), PASSWORD, actor="test")


async def test_bad_accounts_are_refused(identity: Identity) -> None:
    with pytest.raises(NotFoundError, match="role 'boss'"):
        await identity.accounts.create("bert", Profile("Bert", ("boss",)), PASSWORD, actor="test")
    with pytest.raises(WeakPasswordError):
        await identity.accounts.create("bert", Profile("Bert", ("viewer",)), "short", actor="test")
    with pytest.raises(NotFoundError, match="user 'bert'"):
        await identity.accounts.set_password("bert", PASSWORD, actor="test")
    assert [user.login for user in await identity.accounts.users()] == ["anna"]


async def test_a_language_is_kept(identity: Identity) -> None:
    await identity.accounts.set_language("anna", "zh_CN")
    assert [user.language for user in await identity.accounts.users()] == ["zh_CN"]


async def test_an_over_long_password_is_refused_though_its_start_be_right(identity: Identity) -> None:
    longest = "correct horse battery " * 11 + "staple well enough"[:14]
    assert len(longest) == 256
    await identity.accounts.set_password("anna", longest, actor="admin")
    with pytest.raises(SignInRefusedError):
        await identity.sessions.sign_in("anna", longest + "y")
    await identity.sessions.sign_in("anna", longest)


async def test_an_edge_is_known_by_its_newest_token(identity: Identity) -> None:
    first = await identity.edges.make("edge-1")
    other = await identity.edges.make("edge-2")
    assert await identity.edges.edge_of(first) == "edge-1"
    second = await identity.edges.make("edge-1")
    assert await identity.edges.edge_of(first) is None
    assert await identity.edges.edge_of(second) == "edge-1"
    assert await identity.edges.edge_of(other) == "edge-2"
    assert await identity.edges.edge_of("rubbish \udcff") is None


async def test_checking_an_edge_again_needs_no_database(identity: Identity, database: Database) -> None:
    token = await identity.edges.make()
    assert await identity.edges.edge_of(token) == "edge"
    async with database.session() as session:
        await session.execute(text("DELETE FROM identity_edge_tokens"))
    assert await identity.edges.edge_of(token) == "edge"


async def test_the_audit_trail_is_append_only(identity: Identity, database: Database) -> None:
    for statement in ("UPDATE identity_audit SET actor = 'nobody'", "DELETE FROM identity_audit"):
        with pytest.raises(DBAPIError, match="append-only"):
            async with database.session() as session:
                await session.execute(text(statement))
