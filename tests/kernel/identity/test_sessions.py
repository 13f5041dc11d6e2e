"""Sessions: steps of a sign-in, what ends them, and what races do to them."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pyotp
import pytest

from athanor.kernel.database.database import Database
from athanor.kernel.errors import NotFoundError
from athanor.kernel.identity.accounts import LastAdministratorError, Profile, row_of
from athanor.kernel.identity.passwords import PasswordPolicy
from athanor.kernel.identity.service import Identity
from athanor.kernel.identity.sessions import (
    FREE_ATTEMPTS,
    Lack,
    Rules,
    SignInRefusedError,
    Where,
    handle_of,
)

from .conftest import PASSWORD, Clock

HERE = Where("10.0.0.7", "Firefox")


async def enrol(people: Identity, login: str = "anna") -> None:
    secret, _address = people.second_factors.propose(login, "Park")
    await people.second_factors.set_up(login, secret, code_of(people, secret), actor=login)


def code_of(people: Identity, secret: str) -> str:
    return pyotp.TOTP(secret).at(people.sessions._now())


async def lack(people: Identity, token: str) -> Lack | None:
    found = await people.sessions.lack_of(token)
    return None if found is None else found[1]


async def test_a_session_that_lacks_a_step_opens_nothing(people: Identity) -> None:
    await enrol(people)
    token = await people.sessions.sign_in("anna", PASSWORD, HERE)
    assert await lack(people, token) is Lack.SECOND_FACTOR
    assert await people.sessions.user_of(token) is None


async def test_each_step_gives_a_new_token_and_ends_the_old_one(people: Identity) -> None:
    await people.accounts.set_password("anna", PASSWORD, actor="otto", must_change=True)
    await enrol(people)
    first = await people.sessions.sign_in("anna", PASSWORD, HERE)
    second = await people.sessions.go_on(first, Lack.SECOND_FACTOR, HERE)
    assert await lack(people, second) is Lack.PASSWORD
    await people.accounts.set_password("anna", "another horse battery", actor="anna", keep=second)
    third = await people.sessions.go_on(second, Lack.PASSWORD, HERE)
    assert len({first, second, third}) == 3
    assert [await people.sessions.user_of(one) is not None for one in (first, second, third)] == [False, False, True]
    assert [await people.sessions.lack_of(one) for one in (first, second, third)] == [None, None, None]


async def test_a_step_that_is_not_due_cannot_be_passed(people: Identity) -> None:
    await enrol(people)
    token = await people.sessions.sign_in("anna", PASSWORD, HERE)
    for wrong in (Lack.PASSWORD, Lack.ENROLMENT):
        with pytest.raises(NotFoundError):
            await people.sessions.go_on(token, wrong, HERE)
    assert await lack(people, token) is Lack.SECOND_FACTOR
    with pytest.raises(NotFoundError):
        await people.sessions.go_on("rubbish", Lack.SECOND_FACTOR, HERE)


async def test_of_two_who_pass_a_step_at_once_one_goes_on(people: Identity) -> None:
    await enrol(people)
    token = await people.sessions.sign_in("anna", PASSWORD, HERE)
    results = await asyncio.gather(
        *(people.sessions.go_on(token, Lack.SECOND_FACTOR, HERE) for _ in range(4)), return_exceptions=True
    )
    assert sum(isinstance(one, str) for one in results) == 1
    assert len(await people.sessions.of("anna")) == 1


async def test_a_sign_in_that_stops_half_way_ends_after_ten_minutes(people: Identity, clock: Clock) -> None:
    await enrol(people)
    token = await people.sessions.sign_in("anna", PASSWORD, HERE)
    clock.forward(minutes=9)
    assert await lack(people, token) is Lack.SECOND_FACTOR
    clock.forward(minutes=2)
    assert await lack(people, token) is None
    with pytest.raises(NotFoundError):
        await people.sessions.go_on(token, Lack.SECOND_FACTOR, HERE)


async def test_a_role_that_demands_a_second_factor_leads_to_setting_one_up(people: Identity) -> None:
    people.sessions.rules = Rules(second_factor_for=frozenset({"operator"}))
    token = await people.sessions.sign_in("anna", PASSWORD, HERE)
    assert await lack(people, token) is Lack.ENROLMENT
    assert await people.sessions.user_of(await people.sessions.sign_in("otto", PASSWORD, HERE)) is not None
    await enrol(people)
    assert await people.sessions.user_of(await people.sessions.go_on(token, Lack.ENROLMENT, HERE)) is not None


async def test_a_password_that_has_come_of_age_must_be_changed(people: Identity, clock: Clock) -> None:
    people.sessions._passwords.policy = PasswordPolicy(lasts=timedelta(days=90))
    clock.forward(days=89)
    assert await people.sessions.user_of(await people.sessions.sign_in("anna", PASSWORD)) is not None
    clock.forward(days=1)
    assert await lack(people, await people.sessions.sign_in("anna", PASSWORD)) is Lack.PASSWORD


async def test_guesses_at_the_code_count_towards_the_lock(people: Identity) -> None:
    await enrol(people)
    await people.sessions.sign_in("anna", PASSWORD, HERE)  # right, and counted, since the code is not told yet
    for _ in range(FREE_ATTEMPTS - 1):
        await people.sessions.count_attempt("anna", HERE)
    with pytest.raises(SignInRefusedError) as caught:
        await people.sessions.count_attempt("anna", HERE)
    assert caught.value.retry_after_s == 30
    with pytest.raises(SignInRefusedError):  # nor does signing in anew give more guesses
        await people.sessions.sign_in("anna", PASSWORD, HERE)


async def test_a_session_ends_after_thirty_days_however_often_it_is_used(people: Identity, clock: Clock) -> None:
    token = await people.sessions.sign_in("anna", PASSWORD)
    for _ in range(30 * 24 // 8 - 1):
        clock.forward(hours=8)
        assert await people.sessions.user_of(token) is not None
    clock.forward(hours=8, seconds=1)
    assert await people.sessions.user_of(token) is None


async def test_one_sees_where_one_is_signed_in_and_ends_one_or_all_others(people: Identity, clock: Clock) -> None:
    here = await people.sessions.sign_in("anna", PASSWORD, HERE)
    clock.forward(minutes=1)
    there = await people.sessions.sign_in("anna", PASSWORD, Where("10.0.0.8", "Chrome" * 100))
    seen = await people.sessions.of("anna")
    assert [(one.handle, one.address, len(one.agent)) for one in seen] == [
        (handle_of(there), "10.0.0.8", 200),
        (handle_of(here), "10.0.0.7", 7),
    ]
    await people.sessions.end("anna", handle_of(there), actor="anna")
    assert await people.sessions.user_of(there) is None
    more = [await people.sessions.sign_in("anna", PASSWORD) for _ in range(3)]
    others = await people.sessions.sign_in("otto", PASSWORD)
    assert await people.sessions.end_others(here) == 3
    assert [await people.sessions.user_of(one) for one in more] == [None] * 3
    assert await people.sessions.user_of(here) is not None
    assert await people.sessions.user_of(others) is not None


async def test_nobody_ends_another_ones_session(people: Identity) -> None:
    token = await people.sessions.sign_in("otto", PASSWORD)
    with pytest.raises(NotFoundError):
        await people.sessions.end("anna", handle_of(token), actor="anna")
    assert await people.sessions.user_of(token) is not None


async def test_whoever_changes_their_password_stays_and_is_signed_out_everywhere_else(people: Identity) -> None:
    here, there = [await people.sessions.sign_in("anna", PASSWORD) for _ in range(2)]
    await people.accounts.set_password("anna", "another horse battery", actor="anna", keep=here)
    assert await people.sessions.user_of(here) is not None
    assert await people.sessions.user_of(there) is None


async def test_disabling_ends_sessions_at_once_and_for_good(people: Identity) -> None:
    token = await people.sessions.sign_in("anna", PASSWORD)
    await people.accounts.disable("anna", actor="otto")
    assert await people.sessions.user_of(token) is None
    with pytest.raises(SignInRefusedError):
        await people.sessions.sign_in("anna", PASSWORD)
    with pytest.raises(SignInRefusedError):
        await people.sessions.open("anna", actor="test")
    await people.accounts.enable("anna", actor="otto")
    assert await people.sessions.user_of(token) is None
    await people.sessions.sign_in("anna", PASSWORD)


async def test_a_password_changed_while_the_old_one_is_checked_lets_nobody_in(people: Identity) -> None:
    async with people.sessions._database.reading() as session:
        as_read = await row_of(session, "anna")
    await people.accounts.set_password("anna", "another horse battery", actor="otto")
    with pytest.raises(SignInRefusedError):
        await people.sessions._begin(as_read, None, HERE)
    assert list(await people.sessions.of("anna")) == []


async def test_a_change_of_rights_holds_in_the_open_session(people: Identity) -> None:
    token = await people.sessions.sign_in("anna", PASSWORD)
    profile = (await people.accounts.account("anna")).profile
    await people.accounts.change("anna", replace(profile, roles=("viewer",)), actor="otto")
    user = await people.sessions.user_of(token)
    assert user is not None
    assert (user.roles, user.may("energy.operate")) == (("viewer",), False)


async def test_the_last_administrator_stays(people: Identity, database: Database) -> None:
    for change in (
        people.accounts.disable("otto", actor="otto"),
        people.accounts.change("otto", Profile("Otto", ("viewer",)), actor="otto"),
        people.accounts.change("otto", Profile("Otto", ("administrator",), "copper"), actor="otto"),
    ):
        with pytest.raises(LastAdministratorError):
            await change
    account = await people.accounts.account("otto")
    assert (account.profile.roles, account.profile.tenant, account.disabled_at) == (("administrator",), None, None)
