"""Which passwords may be set, and that none, however odd, breaks what checks them."""

from datetime import timedelta

import pytest
from argon2 import PasswordHasher
from hypothesis import given, settings
from hypothesis.strategies import characters, text

from athanor.kernel.identity.passwords import MAX_LENGTH, PasswordPolicy, Passwords, Weakness, WeakPasswordError

QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
ANY = text(characters(exclude_categories=()), max_size=300)  # lone surrogates too


def weakness(policy: PasswordPolicy, password: str, *about: str) -> Weakness:
    with pytest.raises(WeakPasswordError) as caught:
        policy.check(password, *about)
    return caught.value.weakness


@pytest.mark.parametrize(
    "password", ["correct horse battery", "冶炼车间的夜班很安静吧", "Tr0ub4dor&3 melts", "x" * 3 + "qvmzkwpj"]
)
def test_a_good_password_is_taken(password: str) -> None:
    PasswordPolicy().check(password, "anna", "Anna")


@pytest.mark.parametrize(("password", "why"), [
    ("short", Weakness.LENGTH),
    ("ok horse " * 40, Weakness.LENGTH),
    ("password123", Weakness.GUESSED),
    ("1234567890", Weakness.GUESSED),
    ("qwertyuiop", Weakness.GUESSED),
    ("aaaaaaaaaaaaaaaa", Weakness.GUESSED),
    ("half a \ud800 character", Weakness.UNREADABLE),
])  # fmt: skip
def test_a_bad_password_says_why(password: str, why: Weakness) -> None:
    assert weakness(PasswordPolicy(), password) is why


def test_a_password_made_of_the_login_is_easily_guessed() -> None:
    PasswordPolicy().check("zhangweiming8")
    assert weakness(PasswordPolicy(), "zhangweiming8", "zhangweiming", "Zhang") is Weakness.GUESSED


@pytest.mark.parametrize(("password", "classes"), [
    ("correct horse", 2),
    ("correcthorse battery staple", 2),
    ("Correct horse battery", 3),
    ("Correct horse battery 7", 4),
    ("CorrectHorseBattery", 2),
])  # fmt: skip
def test_the_kinds_of_characters_are_counted(password: str, classes: int) -> None:
    PasswordPolicy(classes=classes).check(password)
    if classes < 4:
        assert weakness(PasswordPolicy(classes=classes + 1), password) is Weakness.CLASSES


@settings(max_examples=60)
@given(password=ANY)
async def test_any_text_is_refused_or_can_be_signed_in_with(password: str) -> None:
    passwords = Passwords(QUICK)
    try:
        known_hash = await passwords.hash(password)
    except WeakPasswordError:
        assert not await passwords.check(password, None)
        return
    assert await passwords.check(password, known_hash)
    assert not await passwords.check(password + "x", known_hash)


@settings(max_examples=30)
@given(password=ANY)
async def test_no_guess_breaks_the_check(password: str) -> None:
    passwords = Passwords(QUICK)
    assert not await passwords.check(password, QUICK.hash("correct horse battery"))


async def test_what_is_no_hash_opens_nothing() -> None:
    passwords = Passwords(QUICK)
    for kept in ("", "rubbish", "$argon2id$v=19$m=8,t=1,p=1$"):
        assert not await passwords.check("correct horse battery", kept)


def test_the_longest_password_is_judged_quickly() -> None:
    assert weakness(PasswordPolicy(), "1qaz2wsx" * (MAX_LENGTH // 8)) is Weakness.GUESSED


def test_production_hashes_are_argon2id_of_rfc_9106() -> None:
    hasher = PasswordHasher()
    assert (hasher.type.name, hasher.memory_cost, hasher.time_cost, hasher.parallelism) == ("ID", 65_536, 3, 4)
    assert PasswordPolicy().lasts is None
    assert PasswordPolicy(lasts=timedelta(days=90)).min_length == 10
