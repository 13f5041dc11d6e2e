"""The contract of a store of files and the value types it speaks."""

from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from athanor.kernel.errors import AthanorError

_LONGEST_PART = 200  # bytes; file systems take 255, and a little is added while a file comes in
_LONGEST_NAME = 900  # bytes; object stores take 1024, a prefix included


class BadFileNameError(AthanorError):
    """A name that leads out of the store, or that not every store could keep."""

    code = "files.bad-name"

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(
            f"{name[:120]!r} is no name of a file: {reason}. Write a relative name with slashes, such as "
            "documents/2026/plan.pdf."
        )


class FileMissingError(AthanorError):
    """A file that is asked for is not in the store."""

    code = "files.missing"

    def __init__(self, name: str, place: object) -> None:
        super().__init__(
            f"There is no file {name!r} in {place}. It was deleted, or never stored; a backup may have it."
        )


class FilesFullError(AthanorError):
    """The store of files takes no more."""

    code = "files.full"

    def __init__(self, place: object, reason: object) -> None:
        super().__init__(
            f"The files at {place} take no more ({reason}). Free disk space, or shorten how long waveforms and "
            "pictures are kept; whoever sends keeps what is not acknowledged."
        )


class FilesUnreachableError(AthanorError):
    """The store of files does not answer, or does not let us in."""

    code = "files.unreachable"

    def __init__(self, place: object, reason: object) -> None:
        super().__init__(
            f"The files at {place} cannot be reached ({reason}). Check files_url and permissions; for an object "
            "store the network, [s3] in the settings and the AWS_* variables."
        )


@dataclass(frozen=True, slots=True)
class FileEntry:
    """What a list says of a file."""

    name: str
    size: int  # bytes
    stored_at: datetime  # aware


class Files(Protocol):
    """Keeps files by name: whole, durable, replaced by putting again, never changed in part.

    A name is relative, has parts between slashes, and no part that begins with a dot; anything else raises
    BadFileNameError. No name is a file's and a folder's at once: an object store may let that pass, a disk does not.
    Safe for concurrent use. Everything raises FilesUnreachableError where the store does not answer even after some
    trying. Whoever opened it closes it.
    """

    async def put(self, name: str, content: bytes | AsyncIterable[bytes]) -> None:
        """Store a file, in one piece or as it comes; durable on return, and replacing one of the same name.

        The file is there whole or not at all: where this raises, or the process ends meanwhile, whatever was under the
        name before still is. Raises FilesFullError, and what `content` raises.
        """

    async def get(self, name: str) -> bytes:
        """The whole file. Raises FileMissingError."""

    async def get_range(self, name: str, start: int, length: int) -> bytes:
        """`length` bytes from `start` on; fewer where the file ends before. Raises FileMissingError."""

    async def size(self, name: str) -> int:
        """Bytes of the file. Raises FileMissingError."""

    def list_files(self, folder: str = "") -> AsyncIterator[FileEntry]:
        """The files at any depth below a folder, in any order; all, for an empty name; none where it is not there.

        What is put or deleted meanwhile may be listed or not.
        """

    async def delete(self, name: str) -> None:
        """Delete a file; one that is not there is no error."""

    async def check(self) -> None:
        """Return if the store answers. For monitors."""

    async def close(self) -> None:
        """Let go of threads and connections; the store answers nothing after."""


def checked_name(name: str) -> str:
    """The name, if it is one. Raises BadFileNameError."""
    parts = name.split("/")
    if any(not part for part in parts):
        raise BadFileNameError(name, "it is empty, begins or ends with a slash, or has two together")
    if any(part.startswith(".") for part in parts):
        raise BadFileNameError(name, "a part begins with a dot")
    if any(not character.isprintable() or character == "\\" for character in name):
        raise BadFileNameError(name, "it holds a backslash or a character that cannot be printed")
    if len(name.encode()) > _LONGEST_NAME or max(len(part.encode()) for part in parts) > _LONGEST_PART:
        raise BadFileNameError(name, f"it is longer than {_LONGEST_NAME} bytes, or a part than {_LONGEST_PART}")
    return name
