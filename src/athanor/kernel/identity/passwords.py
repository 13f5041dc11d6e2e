"""Passwords: which are good enough, and hashing them with Argon2id, off the event loop, a few at a time."""

import asyncio
import secrets
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import ParamSpec, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from zxcvbn import zxcvbn

from athanor.kernel.errors import AthanorError

MIN_LENGTH = 10
MAX_LENGTH = 256  # so that nobody makes the server hash a megabyte
P = ParamSpec("P")
R = TypeVar("R")

_AT_ONCE = 2  # each takes 64 MiB and a core; the others wait
_GUESSED = 2  # of zxcvbn's scores from 0 to 4, the least that is taken: more than 10^6 guesses
_LOOKED_AT = 72  # characters; zxcvbn takes long for long ones, which are no worse


class Weakness(StrEnum):
    """Why a password must not be set."""

    LENGTH = "length"
    CLASSES = "classes"  # too few of small and capital letters, digits and others
    GUESSED = "guessed"  # a common one, a pattern, or made of the login
    UNREADABLE = "unreadable"  # no text that could be written anywhere


class WeakPasswordError(AthanorError):
    """A password that must not be set."""

    code = "identity.weak-password"

    def __init__(self, weakness: Weakness, reason: str) -> None:
        self.weakness = weakness
        super().__init__(f"This password cannot be set: {reason}. Choose another one.")


@dataclass(frozen=True, slots=True)
class PasswordPolicy:
    """What a password must be like."""

    min_length: int = MIN_LENGTH
    classes: int = 1  # of small and capital letters, digits and others, how many it must hold
    lasts: timedelta | None = None  # then it must be changed at the next sign-in; None: never

    def check(self, password: str, *about: str) -> None:
        """`about` are words of the person, such as the login, that it must not be made of. Raises WeakPasswordError."""
        if not self.min_length <= len(password) <= MAX_LENGTH:
            raise WeakPasswordError(Weakness.LENGTH, f"it needs {self.min_length} to {MAX_LENGTH} characters")
        if _classes_in(password) < self.classes:
            raise WeakPasswordError(
                Weakness.CLASSES, f"it needs {self.classes} of: small letters, capital letters, digits, others"
            )
        if not _is_readable(password):
            raise WeakPasswordError(Weakness.UNREADABLE, "it holds half a character, which no keyboard writes")
        own = [word for word in about if word]
        if zxcvbn(password[:_LOOKED_AT], user_inputs=own)["score"] < _GUESSED:
            raise WeakPasswordError(
                Weakness.GUESSED, "it is easily guessed: a common one, a pattern, or made of the login"
            )


class Passwords:
    """Hashes and checks passwords. The parameters are argon2-cffi's own (RFC 9106, low memory) unless given."""

    def __init__(self, hasher: PasswordHasher | None = None, policy: PasswordPolicy | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self.policy = policy or PasswordPolicy()
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._nobodys_hash: str | None = None

    async def hash(self, password: str, *about: str) -> str:
        """The hash of a new password of somebody whose login and name are `about`. Raises WeakPasswordError."""
        await asyncio.to_thread(self.policy.check, password, *about)
        return await self._in_turn(self._hasher.hash, password)

    async def hash_again(self, password: str) -> str:
        """The hash, with today's parameters, of a password that is one already."""
        return await self._in_turn(self._hasher.hash, password)

    async def check(self, password: str, known_hash: str | None) -> bool:
        """Whether it is the one. Without a hash to compare with it takes as long, and is not."""
        if not known_hash or len(password) > MAX_LENGTH or not _is_readable(password):
            await self._in_turn(self._matches, await self._hash_of_nobody(), "a" * min(len(password), MAX_LENGTH))
            return False
        return await self._in_turn(self._matches, known_hash, password)

    def is_outdated(self, known_hash: str) -> bool:
        """Whether it was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(known_hash)

    async def _hash_of_nobody(self) -> str:
        if self._nobodys_hash is None:
            self._nobodys_hash = await self._in_turn(self._hasher.hash, secrets.token_urlsafe())
        return self._nobodys_hash

    def _matches(self, known_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(known_hash, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _in_turn(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        async with self._turns:
            return await asyncio.to_thread(function, *args, **kwargs)


def _is_readable(password: str) -> bool:
    try:
        password.encode()
    except UnicodeEncodeError:  # a lone surrogate, as broken programs send
        return False
    return True


def _classes_in(password: str) -> int:
    kinds = {unicodedata.category(letter)[0:2] for letter in password}
    named = ("Ll", "Lu", "Nd")
    return sum(kind in kinds for kind in named) + bool(kinds - set(named))
