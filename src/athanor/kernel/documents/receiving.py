"""Taking a file in: looked at and counted while it goes to the store, and kept whole or not at all."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import uuid4

from athanor.kernel.documents.contents import HEAD_BYTES, is_allowed, media_type_of
from athanor.kernel.documents.errors import (
    DocumentCutShortError,
    DocumentEmptyError,
    DocumentTooLargeError,
    DocumentTypeError,
)
from athanor.kernel.documents.names import safe_name
from athanor.kernel.documents.records import Incoming, Rules
from athanor.kernel.files.port import Files

FOLDER = "documents"  # in the store of files
_PIECE = 1 << 20  # bytes sent to the store at a time


@dataclass(frozen=True, slots=True)
class Kept:
    """A file that is in the store."""

    name: str
    blob: str
    media_type: str
    size: int  # bytes
    sha256: str


class _Passing:
    """A file on its way: what is known of it so far. Its pieces raise where it must not be kept."""

    def __init__(self, incoming: Incoming, name: str, rules: Rules) -> None:
        self._incoming, self._name, self._rules = incoming, name, rules
        self._digest = hashlib.sha256()
        self.size = 0
        self.media_type = ""

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    async def pieces(self) -> AsyncIterator[bytes]:
        waiting = bytearray()
        async for part in self._incoming.parts:
            self.size += len(part)
            if self.size > self._rules.most_bytes:
                raise DocumentTooLargeError(self._name, self._rules.most_bytes)
            waiting += part
            if len(waiting) >= _PIECE:
                yield await self._passed(bytes(waiting))
                waiting.clear()
        self._check_end()
        if waiting or not self.media_type:
            yield await self._passed(bytes(waiting))

    def _check_end(self) -> None:
        expected = self._incoming.expected_bytes
        if expected is not None and self.size != expected:
            raise DocumentCutShortError(self._name, self.size, expected)
        if not self.size:
            raise DocumentEmptyError(self._name)

    async def _passed(self, piece: bytes) -> bytes:
        if not self.media_type:
            self.media_type = media_type_of(piece[:HEAD_BYTES])
            if not is_allowed(self.media_type, self._rules.allowed_types):
                raise DocumentTypeError(self._name, self.media_type)
        await asyncio.to_thread(self._digest.update, piece)
        return piece


async def keep(files: Files, incoming: Incoming, rules: Rules) -> Kept:
    """Put a file into the store under a name of its own; on return it is durable.

    Raises DocumentTooLargeError, DocumentEmptyError, DocumentCutShortError, DocumentTypeError, and the store's errors;
    then nothing of it is there.
    """
    name = safe_name(incoming.name)
    if incoming.expected_bytes is not None and incoming.expected_bytes > rules.most_bytes:
        raise DocumentTooLargeError(name, rules.most_bytes)
    if incoming.expected_bytes == 0:
        raise DocumentEmptyError(name)
    identity = uuid4().hex
    blob = f"{FOLDER}/{identity[:2]}/{identity}"
    passing = _Passing(incoming, name, rules)
    await files.put(blob, passing.pieces())
    return Kept(name, blob, passing.media_type, passing.size, passing.sha256)
