"""The second factor: the codes of RFC 6238, each taken once, and recovery codes."""

import asyncio
import base64
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pyotp
import pytest
from cryptography.fernet import Fernet
from hypothesis import given, settings
from hypothesis.strategies import text
from sqlalchemy import select

from athanor.kernel.database.database import Database
from athanor.kernel.identity.accounts import Profile
from athanor.kernel.identity.second_factor import SecondFactors, WrongCodeError
from athanor.kernel.identity.service import Identity
from athanor.kernel.identity.tables import UserRow
from athanor.kernel.vault import Vault, VaultLockedError

from .conftest import Clock
from .test_service import actions

RFC_6238_SECRET = base64.b32encode(b"12345678901234567890").decode()
# Appendix B of RFC 6238, SHA-1: seconds since 1970 and the code, of whose eight digits phones show the last six.
RFC_6238 = [
    (59, "94287082"),
    (1111111109, "07081804"),
    (1111111111, "14050471"),
    (1234567890, "89005924"),
    (2000000000, "69279037"),
    (20000000000, "65353130"),
]


def code(clock: Clock, secret: str, steps: int = 0) -> str:
    return pyotp.TOTP(secret).at(clock.time + timedelta(seconds=30 * steps))


@pytest.fixture
async def secret(people: Identity) -> str:
    secret, _address = people.second_factors.propose("anna", "Park")
    return secret


@pytest.fixture
async def recovery(people: Identity, clock: Clock, secret: str) -> list[str]:
    """Anna has a second factor since a minute ago."""
    codes = await people.second_factors.set_up("anna", secret, code(clock, secret), actor="anna")
    clock.forward(minutes=1)
    return list(codes)


async def test_codes_are_those_of_rfc_6238(people: Identity, clock: Clock) -> None:
    for seconds, digits in RFC_6238:
        clock.time = datetime.fromtimestamp(seconds, UTC)
        await people.second_factors.set_up("anna", RFC_6238_SECRET, digits[-6:], actor="anna")
        with pytest.raises(WrongCodeError):
            await people.second_factors.set_up("anna", RFC_6238_SECRET, digits[:6], actor="anna")


async def test_the_address_is_what_phones_read(people: Identity) -> None:
    secret, address = people.second_factors.propose("anna", "冶炼园区 Park")
    parts = urlsplit(address)
    assert (parts.scheme, parts.netloc) == ("otpauth", "totp")
    assert parse_qs(parts.query) == {"secret": [secret], "issuer": ["冶炼园区 Park"]}
    assert len(base64.b32decode(secret)) == 20
    assert people.second_factors.propose("anna", "Park")[0] != secret


async def test_only_a_neighbouring_code_is_taken_as_clocks_differ(
    people: Identity, clock: Clock, secret: str, recovery: list[str]
) -> None:
    for steps in (-1, 0, 1):
        await people.second_factors.check("anna", code(clock, secret, steps))
        clock.forward(minutes=5)
    for steps in (-3, -2, 2, 3):
        with pytest.raises(WrongCodeError):
            await people.second_factors.check("anna", code(clock, secret, steps))


async def test_a_code_is_taken_once_and_none_before_it_any_more(
    people: Identity, clock: Clock, secret: str, recovery: list[str]
) -> None:
    now, before = code(clock, secret), code(clock, secret, -1)
    await people.second_factors.check("anna", f" {now[:3]} {now[3:]}")
    for replayed in (now, before):
        with pytest.raises(WrongCodeError):
            await people.second_factors.check("anna", replayed)
    clock.forward(seconds=30)
    await people.second_factors.check("anna", code(clock, secret))


async def test_the_code_that_set_it_up_does_not_sign_in(people: Identity, clock: Clock, secret: str) -> None:
    first = code(clock, secret)
    await people.second_factors.set_up("anna", secret, first, actor="anna")
    with pytest.raises(WrongCodeError):
        await people.second_factors.check("anna", first)


async def test_of_many_who_send_one_code_at_once_one_gets_in(
    people: Identity, clock: Clock, secret: str, recovery: list[str]
) -> None:
    for given_code in (code(clock, secret), recovery[0]):
        results = await asyncio.gather(
            *(people.second_factors.check("anna", given_code) for _ in range(5)), return_exceptions=True
        )
        assert results.count(None) == 1
        assert sum(isinstance(one, WrongCodeError) for one in results) == 4


async def test_each_recovery_code_opens_once(people: Identity, recovery: list[str]) -> None:
    assert len(set(recovery)) == 10
    for one in recovery:
        await people.second_factors.check("anna", f" {one.upper()} ")
        with pytest.raises(WrongCodeError):
            await people.second_factors.check("anna", one)


async def test_setting_up_anew_ends_the_former_secret_and_its_recovery_codes(
    people: Identity, clock: Clock, secret: str, recovery: list[str]
) -> None:
    newer, _address = people.second_factors.propose("anna", "Park")
    await people.second_factors.set_up("anna", newer, code(clock, newer), actor="anna")
    clock.forward(minutes=1)
    for former in (code(clock, secret), recovery[0]):
        with pytest.raises(WrongCodeError):
            await people.second_factors.check("anna", former)


async def test_without_one_no_code_is_right(people: Identity, recovery: list[str], clock: Clock, secret: str) -> None:
    await people.second_factors.remove("anna", actor="otto")
    assert not (await people.accounts.account("anna")).has_second_factor
    for former in (code(clock, secret), recovery[0], ""):
        with pytest.raises(WrongCodeError):
            await people.second_factors.check("anna", former)


async def test_a_secret_that_was_not_proposed_is_refused(people: Identity) -> None:
    for wrong in ("", "A", "not base32 at all, and long enough", "JBSWY3DPEHPK3PXP", "A" * 33):
        with pytest.raises(WrongCodeError):
            await people.second_factors.set_up("anna", wrong, "123456", actor="anna")


@settings(max_examples=200)
@given(given_code=text(max_size=20))
def test_no_text_breaks_the_comparison(given_code: str) -> None:
    clock = Clock()
    factors = SecondFactors(None, None, clock)  # type: ignore[arg-type]  # nothing is kept
    right = {code(clock, RFC_6238_SECRET, steps) for steps in (-1, 0, 1)}
    if given_code not in right:
        with pytest.raises(WrongCodeError):
            factors._step_of(RFC_6238_SECRET, given_code, after=0)


async def test_the_secret_lies_encrypted_and_recovery_codes_as_hashes(
    people: Identity, database: Database, secret: str, recovery: list[str]
) -> None:
    async with database.reading() as session:
        stored = repr((await session.execute(select(UserRow.__table__))).all())
    assert not [one for one in (secret, *recovery) if one in stored]


async def test_with_another_vault_key_it_says_what_to_do(
    database: Database, clock: Clock, secret: str, recovery: list[str]
) -> None:
    other = Identity(database, Vault(Fernet.generate_key()), now=clock)
    with pytest.raises(VaultLockedError, match="The second factor of anna"):
        await other.second_factors.check("anna", code(clock, secret))
    await other.second_factors.check("anna", recovery[0])  # a recovery code needs no key


async def test_what_is_done_is_in_the_trail(people: Identity, database: Database, recovery: list[str]) -> None:
    await people.second_factors.check("anna", recovery[3], address="10.0.0.7")
    await people.second_factors.remove("anna", actor="otto")
    assert (await actions(database))[-3:] == [
        ("anna", "identity.second-factor-set-up", ""),
        ("anna", "identity.recovery-code-used", "10.0.0.7"),
        ("otto", "identity.second-factor-removed", ""),
    ]


async def test_nobody_elses_code_is_right(people: Identity, clock: Clock, recovery: list[str]) -> None:
    secret, _address = people.second_factors.propose("otto", "Park")
    await people.accounts.create("bert", Profile("Bert", ("viewer",)), "correct horse battery", actor="test")
    codes = await people.second_factors.set_up("otto", secret, code(clock, secret), actor="otto")
    for other in ("anna", "bert"):
        with pytest.raises(WrongCodeError):
            await people.second_factors.check(other, codes[0])
