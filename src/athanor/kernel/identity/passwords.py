"""Passwords: hashed with Argon2id, off the event loop, a few at a time."""

import asyncio
import secrets
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from athanor.kernel.errors import AthanorError

MIN_LENGTH = 10
MAX_LENGTH = 256  # so that nobody makes the server hash a megabyte
P = ParamSpec("P")
R = TypeVar("R")

_AT_ONCE = 2  # each takes 64 MiB and a core; the others wait


class WeakPasswordError(AthanorError):
    """A password that must not be set."""

    code = "identity.weak-password"

    def __init__(self) -> None:
        super().__init__(f"A password needs {MIN_LENGTH} to {MAX_LENGTH} characters. Choose another one.")


class Passwords:
    """Hashes and checks passwords. The parameters are argon2-cffi's own (RFC 9106, low memory) unless given."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._nobodys_hash: str | None = None

    async def hash(self, password: str) -> str:
        """Raises WeakPasswordError."""
        if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
            raise WeakPasswordError
        return await self._in_turn(self._hasher.hash, password)

    async def check(self, password: str, known_hash: str | None) -> bool:
        """Whether it is the one. Without a hash to compare with it takes as long, and is not."""
        if known_hash is None or len(password) > MAX_LENGTH:
            await self._in_turn(self._matches, await self._hash_of_nobody(), password[:MAX_LENGTH])
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
