"""Invitations: a link opens what it was made for, once, and nothing more."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select

from athanor.kernel.database.database import Database
from athanor.kernel.errors import NotFoundError
from athanor.kernel.identity.accounts import LoginTakenError, OutsidePasswordError, Profile
from athanor.kernel.identity.invitations import InvitationOverError
from athanor.kernel.identity.passwords import WeakPasswordError
from athanor.kernel.identity.roles import Role
from athanor.kernel.identity.service import Identity
from athanor.kernel.identity.tables import InvitationRow, UserRow

from .conftest import PASSWORD, Clock
from .test_service import actions

BERT = Profile("Bert", ("viewer",), "copper", post="Shift leader")


async def opens_nothing(people: Identity, token: str) -> None:
    with pytest.raises(InvitationOverError):
        await people.invitations.look_at(token)
    with pytest.raises(InvitationOverError):
        await people.invitations.take(token, PASSWORD)


async def test_who_is_invited_makes_their_account_and_signs_in(people: Identity, database: Database) -> None:
    token = await people.invitations.invite("Bert ", BERT, actor="otto", address="10.0.0.1")
    shown = await people.invitations.look_at(token)
    assert (shown.login, shown.profile, shown.is_for_password) == ("bert", BERT, False)
    assert await people.invitations.take(token, PASSWORD, address="10.0.0.7") == "bert"
    user = await people.sessions.user_of(await people.sessions.sign_in("bert", PASSWORD))
    assert user is not None
    assert (user.name, user.roles, user.tenant) == ("Bert", ("viewer",), "copper")
    assert (await actions(database))[-4:-1] == [
        ("otto", "identity.invited", "10.0.0.1"),
        ("bert", "identity.invitation-taken", "10.0.0.7"),
        ("otto", "identity.user-created", "10.0.0.7"),
    ]


async def test_a_link_opens_once(people: Identity) -> None:
    token = await people.invitations.invite("bert", BERT, actor="otto")
    await people.invitations.take(token, PASSWORD)
    await opens_nothing(people, token)


async def test_a_link_that_has_come_of_age_opens_nothing(people: Identity, clock: Clock) -> None:
    token = await people.invitations.invite("bert", BERT, actor="otto", lasts=timedelta(hours=1))
    clock.forward(minutes=59)
    await people.invitations.look_at(token)
    clock.forward(minutes=1)
    await opens_nothing(people, token)
    assert list(await people.invitations.open()) == []


async def test_a_withdrawn_link_opens_nothing(people: Identity) -> None:
    token = await people.invitations.invite("bert", BERT, actor="otto")
    [invitation] = await people.invitations.open(frozenset({"copper"}))
    await people.invitations.withdraw(invitation.id, actor="otto")
    await opens_nothing(people, token)
    with pytest.raises(NotFoundError):
        await people.invitations.withdraw(4711, actor="otto")


async def test_what_never_was_a_link_opens_nothing(people: Identity) -> None:
    await people.invitations.invite("bert", BERT, actor="otto")
    for token in ("", "rubbish", "\x00", "\udcff", "' OR 1=1 --", "x" * 100_000):
        await opens_nothing(people, token)


async def test_of_many_who_take_a_link_at_once_one_does(people: Identity) -> None:
    token = await people.invitations.invite("bert", BERT, actor="otto")
    passwords = [f"{PASSWORD} {number}" for number in range(4)]
    results = await asyncio.gather(
        *(people.invitations.take(token, password) for password in passwords), return_exceptions=True
    )
    assert results.count("bert") == 1
    assert sum(isinstance(one, InvitationOverError) for one in results) == 3
    await people.sessions.sign_in("bert", passwords[results.index("bert")])


async def test_a_newer_link_ends_the_former(people: Identity) -> None:
    former = await people.invitations.invite("bert", BERT, actor="otto")
    newer = await people.invitations.invite("bert", BERT, actor="otto")
    await opens_nothing(people, former)
    await people.invitations.take(newer, PASSWORD)


async def test_a_weak_password_does_not_use_the_link_up(people: Identity) -> None:
    token = await people.invitations.invite("bert", BERT, actor="otto")
    with pytest.raises(WeakPasswordError):
        await people.invitations.take(token, "password123")
    await people.invitations.take(token, PASSWORD)


async def test_a_role_that_is_gone_does_not_use_the_link_up(people: Identity) -> None:
    role = Role("taster", {"en": "Taster"}, ("quality.view",))
    await people.roles.keep(role, actor="otto")
    token = await people.invitations.invite("bert", Profile("Bert", ("taster",)), actor="otto")
    await people.roles.remove("taster", actor="otto")
    with pytest.raises(NotFoundError, match="role 'taster'"):
        await people.invitations.take(token, PASSWORD)
    await people.roles.keep(role, actor="otto")
    await people.invitations.take(token, PASSWORD)


async def test_nobody_is_invited_to_a_login_that_is_taken(people: Identity) -> None:
    with pytest.raises(LoginTakenError):
        await people.invitations.invite("ANNA", BERT, actor="otto")
    token = await people.invitations.invite("bert", BERT, actor="otto")
    await people.accounts.create("bert", BERT, PASSWORD, actor="otto")
    with pytest.raises(LoginTakenError):
        await people.invitations.take(token, "another horse battery")
    await people.sessions.sign_in("bert", PASSWORD)


async def test_a_link_sets_a_new_password_and_ends_sessions(people: Identity) -> None:
    session = await people.sessions.sign_in("anna", PASSWORD)
    token = await people.invitations.invite_to_new_password("anna", actor="otto")
    assert (await people.invitations.look_at(token)).is_for_password
    await people.invitations.take(token, "another horse battery")
    assert await people.sessions.user_of(session) is None
    await people.sessions.sign_in("anna", "another horse battery")
    await opens_nothing(people, token)


async def test_a_password_link_ends_when_the_password_is_set_otherwise(people: Identity) -> None:
    token = await people.invitations.invite_to_new_password("anna", actor="otto")
    await people.accounts.set_password("anna", "another horse battery", actor="anna")
    await opens_nothing(people, token)


async def test_a_password_of_another_directory_has_no_link(people: Identity, database: Database) -> None:
    async with database.session() as session:
        (await session.scalar(select(UserRow).where(UserRow.login == "anna"))).directory = "ldap"
    with pytest.raises(OutsidePasswordError, match="anna is kept by another directory"):
        await people.invitations.invite_to_new_password("anna", actor="otto")
    with pytest.raises(OutsidePasswordError):
        await people.accounts.set_password("anna", "another horse battery", actor="otto")


async def test_links_made_by_or_for_somebody_who_is_disabled_open_nothing(people: Identity) -> None:
    await people.accounts.create("eve", Profile("Eve", ("administrator",)), PASSWORD, actor="otto")
    backdoor = await people.invitations.invite("bert", BERT, actor="eve")
    own = await people.invitations.invite_to_new_password("eve", actor="otto")
    others = await people.invitations.invite("carl", BERT, actor="otto")
    await people.accounts.disable("eve", actor="otto")
    await opens_nothing(people, backdoor)
    await opens_nothing(people, own)
    await people.invitations.take(others, PASSWORD)


async def test_the_token_is_kept_as_a_hash(people: Identity, database: Database) -> None:
    token = await people.invitations.invite("bert", BERT, actor="otto")
    async with database.reading() as session:
        assert token not in repr((await session.execute(select(InvitationRow.__table__))).all())


async def test_those_of_other_tenants_are_not_listed(people: Identity) -> None:
    await people.invitations.invite("bert", BERT, actor="otto")
    await people.invitations.invite("zinc", Profile("Zinc", ("viewer",), "zinc"), actor="otto")
    assert [one.login for one in await people.invitations.open(frozenset({"zinc"}))] == ["zinc"]
    assert [one.login for one in await people.invitations.open()] == ["zinc", "bert"]
