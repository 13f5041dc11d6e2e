"""Tokens of programs: within scopes, until a day, and never more than their owner."""

from datetime import timedelta

import pytest
from sqlalchemy import delete, select

from athanor.kernel.database.database import Database
from athanor.kernel.errors import NotFoundError
from athanor.kernel.identity.accounts import Profile
from athanor.kernel.identity.service import Identity
from athanor.kernel.identity.tables import TokenRow, UserRow
from athanor.kernel.identity.tokens import LONGEST, MOST, PREFIX, BadTokenError
from athanor.kernel.identity.user import User

from .conftest import PASSWORD, Clock

A_MONTH = timedelta(days=30)


async def make(people: Identity, clock: Clock, *scopes: str, login: str = "anna", name: str = "MES") -> str:
    return await people.tokens.make(login, name, scopes or ("energy.view",), clock.time + A_MONTH, actor=login)


async def user(people: Identity, token: str) -> User:
    found = await people.tokens.user_of(token, "10.0.0.9")
    assert found is not None
    return found


async def test_a_program_acts_for_its_owner_within_scopes(people: Identity, clock: Clock) -> None:
    acting = await user(people, await make(people, clock, "energy.view", "alarms.*"))
    assert (acting.login, acting.tenant, acting.scopes) == ("anna", "copper", frozenset({"energy.view", "alarms.*"}))
    wanted = ("energy.view", "energy.export", "alarms.operate", "alarms.administer", "trends.view")
    assert [acting.may(one) for one in wanted] == [True, False, True, False, False]  # an operator administers nothing


async def test_a_token_of_everything_may_what_its_owner_may_now(people: Identity, clock: Clock) -> None:
    token = await make(people, clock, "*.*")
    assert (await user(people, token)).may("energy.operate")
    await people.accounts.change("anna", Profile("Anna", ("viewer",), "copper"), actor="otto")
    acting = await user(people, token)
    assert (acting.may("energy.operate"), acting.may("energy.view")) == (False, True)


async def test_a_revoked_token_opens_nothing(people: Identity, clock: Clock) -> None:
    token, other = await make(people, clock), await make(people, clock, name="BI")
    listed = await people.tokens.of("anna")
    assert [one.name for one in listed] == ["BI", "MES"]
    await people.tokens.revoke("anna", listed[1].id, actor="anna")
    assert await people.tokens.user_of(token) is None
    assert await people.tokens.user_of(other) is not None
    at = (await people.tokens.of("anna"))[1].revoked_at
    clock.forward(days=1)
    await people.tokens.revoke("anna", listed[1].id, actor="anna")  # again: no error, and the time stays
    assert (await people.tokens.of("anna"))[1].revoked_at == at


async def test_a_token_ends_on_its_day(people: Identity, clock: Clock) -> None:
    token = await make(people, clock)
    clock.forward(days=30, seconds=-1)
    assert await people.tokens.user_of(token) is not None
    clock.forward(seconds=1)
    assert await people.tokens.user_of(token) is None


async def test_a_token_of_somebody_disabled_opens_nothing_again(people: Identity, clock: Clock) -> None:
    token = await make(people, clock)
    await people.accounts.disable("anna", actor="otto")
    assert await people.tokens.user_of(token) is None
    await people.accounts.enable("anna", actor="otto")
    assert await people.tokens.user_of(token) is None


async def test_a_token_of_a_removed_user_opens_nothing(people: Identity, clock: Clock, database: Database) -> None:
    token = await make(people, clock)
    async with database.session() as session:
        await session.execute(delete(UserRow).where(UserRow.login == "anna"))
    assert await people.tokens.user_of(token) is None


async def test_nobody_revokes_another_ones_token(people: Identity, clock: Clock) -> None:
    token = await make(people, clock)
    [listed] = await people.tokens.of("anna")
    for number in (listed.id, 4711):
        with pytest.raises(NotFoundError):
            await people.tokens.revoke("otto", number, actor="otto")
    assert await people.tokens.user_of(token) is not None


BAD = [
    ("", ["energy.view"], A_MONTH, "give it a name"),
    ("  ", ["energy.view"], A_MONTH, "give it a name"),
    ("x" * 101, ["energy.view"], A_MONTH, "give it a name"),
    ("MES", [], A_MONTH, "no scopes"),
    ("MES", ["energy"], A_MONTH, "'energy' is no permission"),
    ("MES", ["energy.view", "*"], A_MONTH, "is no permission"),
    ("MES", ["[a-z]*.view"], A_MONTH, "is no permission"),
    ("MES", ["energy.view"], timedelta(0), "it must end, and within"),
    ("MES", ["energy.view"], timedelta(days=-1), "it must end, and within"),
    ("MES", ["energy.view"], LONGEST + timedelta(seconds=1), "it must end, and within 366 days"),
]


async def test_a_bad_token_is_not_made(people: Identity, clock: Clock) -> None:
    for name, scopes, lasts, why in BAD:
        with pytest.raises(BadTokenError, match=why):
            await people.tokens.make("anna", name, scopes, clock.time + lasts, actor="anna")
    assert list(await people.tokens.of("anna")) == []


async def test_nobody_has_more_than_fifty_open_ones(people: Identity, clock: Clock) -> None:
    for _ in range(MOST):
        await make(people, clock)
    with pytest.raises(BadTokenError, match="50 are open already"):
        await make(people, clock)
    await people.tokens.revoke("anna", (await people.tokens.of("anna"))[0].id, actor="anna")
    await make(people, clock)


async def test_what_is_no_token_opens_nothing(people: Identity, clock: Clock) -> None:
    await make(people, clock)
    for rubbish in ("", PREFIX, "rubbish", PREFIX + "x" * 43, "\x00", "\udcff"):
        assert await people.tokens.user_of(rubbish) is None


async def test_neither_a_session_nor_an_edge_is_a_token(people: Identity, clock: Clock) -> None:
    token = await make(people, clock)
    assert token.startswith(PREFIX)
    assert await people.tokens.user_of(await people.sessions.sign_in("anna", PASSWORD)) is None
    assert await people.tokens.user_of(await people.edges.make()) is None
    assert await people.sessions.user_of(token) is None


async def test_where_and_when_it_was_used_is_shown(people: Identity, clock: Clock) -> None:
    token = await make(people, clock)
    assert [(one.used_at, one.used_from) for one in await people.tokens.of("anna")] == [(None, None)]
    clock.forward(hours=1)
    await user(people, token)
    assert [(one.used_at, one.used_from) for one in await people.tokens.of("anna")] == [(clock.time, "10.0.0.9")]


async def test_only_its_hash_is_kept(people: Identity, clock: Clock, database: Database) -> None:
    token = await make(people, clock)
    async with database.reading() as session:
        assert token not in repr((await session.execute(select(TokenRow.__table__))).all())
