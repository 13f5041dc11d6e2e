"""Where a lake's objects lie: a folder on a disk. By one code path with an object store, so no more than both can do.

A store knows names, which are relative and have slashes, and whole objects, which are never changed once they are
written.
"""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO, Protocol, Self

import pyarrow as pa

from athanor.kernel.historian.claim import FolderClaim


class Claim(Protocol):
    """The right to write a store, of one process at a time."""

    def release(self) -> None:
        """Let others have it."""


class Store(Protocol):
    """Objects below one place. Safe for concurrent use. What goes wrong is an OSError."""

    @property
    def url(self) -> str:
        """The place, as deltalake and the log name it."""

    @property
    def options(self) -> Mapping[str, str]:
        """How deltalake reaches it; may hold secrets."""

    def within(self, name: str) -> Self:
        """The part of the store whose names begin so."""

    def place(self, name: str) -> str:
        """An object's name as a person can look it up."""

    def create(self, name: str) -> AbstractContextManager[IO[bytes]]:
        """A new object, open for writing; it is there and durable once the block ends well, and else not at all."""

    def open(self, name: str) -> pa.NativeFile:
        """An object, open for reading at any place, for one thread. Raises FileNotFoundError."""

    def exists(self, name: str) -> bool:
        """Whether there is such an object."""

    def names(self, under: str = "") -> Sequence[str]:
        """The objects whose names begin so, in any order; none where there is no such part."""

    def remove(self, names: Iterable[str]) -> None:
        """Remove objects, those that are not there too."""

    def make_durable(self, name: str) -> None:
        """See that an object that deltalake wrote outlives a power cut."""

    def claim(self) -> Claim:
        """Be the one who writes here, until released. Raises OSError while another one is."""


class FolderStore:
    """For one machine: a folder, made once something is written."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.absolute()

    @property
    def url(self) -> str:
        return str(self._folder)

    @property
    def options(self) -> Mapping[str, str]:
        return {}

    def within(self, name: str) -> "FolderStore":
        return FolderStore(self._folder / name)

    def place(self, name: str) -> str:
        return str(self._folder / name)

    @contextmanager
    def create(self, name: str) -> Iterator[IO[bytes]]:
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with path.open("xb") as file:
                yield file
            self.make_durable(name)
        except BaseException:
            path.unlink(missing_ok=True)
            raise

    def open(self, name: str) -> pa.NativeFile:
        return pa.OSFile(self.place(name))  # not mapped: a fault of the disk would be a signal that ends us

    def exists(self, name: str) -> bool:
        return (self._folder / name).exists()

    def names(self, under: str = "") -> Sequence[str]:
        return [
            path.relative_to(self._folder).as_posix() for path in (self._folder / under).rglob("*") if path.is_file()
        ]

    def remove(self, names: Iterable[str]) -> None:
        for name in names:
            (self._folder / name).unlink(missing_ok=True)

    def make_durable(self, name: str) -> None:
        path = self._folder / name
        above = [folder for folder in path.parents if folder.is_relative_to(self._folder)]
        for place in (path, *above):
            _flush(place)

    def claim(self) -> Claim:
        return FolderClaim(self._folder)


def _flush(place: Path) -> None:
    """Bring a file, or a folder's entries, to the disk."""
    handle = os.open(place, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
