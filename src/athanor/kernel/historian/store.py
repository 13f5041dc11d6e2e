"""Where a lake's objects lie: what is asked of a place, and the folder on a disk that answers. `s3.py` is the other.

A store knows names, which are relative and have slashes, and whole objects, which are never changed once they are
written.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Protocol, Self

import pyarrow as pa
import pyarrow.parquet as pq

from athanor.kernel.durable import flush
from athanor.kernel.historian.claim import FolderClaim
from athanor.kernel.historian.port import DamagedFileError, LakeUnreachableError


class UnreachableError(OSError):
    """The store did not answer, or not in time, or would not. Nothing is known of the object."""


class ClaimedElsewhereError(OSError):
    """Another server writes here."""

    def __init__(self, place: str, who: str, until: datetime | None) -> None:
        till = "" if until is None else f", and unless it is heard of again only until {until:%Y-%m-%d %H:%M:%S} UTC"
        super().__init__(f"{who} writes here, says {place}{till}")


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

    @property
    def is_remote(self) -> bool:
        """Whether it is reached over a network: each read has its price, and what failed may still come to pass."""

    def within(self, name: str) -> Self:
        """The part of the store whose names begin so."""

    def place(self, name: str) -> str:
        """An object's name as a person can look it up."""

    def create(self, name: str) -> AbstractContextManager[IO[bytes]]:
        """A new object, open for writing; it is there and durable once the block ends well, and else not at all.

        After an UnreachableError it may come to be there all the same.
        """

    def open(self, name: str) -> IO[bytes]:
        """An object, open for reading at any place, for one thread. Raises FileNotFoundError, UnreachableError."""

    def exists(self, name: str) -> bool:
        """Whether there is such an object."""

    def names(self, under: str = "") -> Sequence[str]:
        """The objects whose names begin so, in any order; none where there is no such part."""

    def remove(self, names: Iterable[str]) -> None:
        """Remove objects, those that are not there too."""

    def make_durable(self, name: str) -> None:
        """See that an object that deltalake wrote outlives a power cut."""

    def claim(self, beside: Path) -> Claim:
        """Be the one who writes here, until released; `beside` is a folder of the claimant's own.

        Raises OSError while another one is.
        """

    def check_claim(self) -> None:
        """Raises LakeTakenError where the right to write was claimed by us and has gone to another."""


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

    @property
    def is_remote(self) -> bool:
        return False

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

    def open(self, name: str) -> IO[bytes]:
        file: IO[bytes] = pa.OSFile(self.place(name))  # not mapped: a fault of the disk would be a signal that ends us
        return file

    def exists(self, name: str) -> bool:
        return (self._folder / name).is_file()

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
            flush(place)

    def claim(self, beside: Path) -> Claim:  # noqa: ARG002 the lock on the folder ends with its holder
        try:
            return FolderClaim(self._folder)
        except BlockingIOError as error:
            raise ClaimedElsewhereError(self.place("lock"), "another process", None) from error

    def check_claim(self) -> None:
        pass  # a lock on a folder is not lost


@contextmanager
def reading(place: str) -> Iterator[None]:
    """What goes wrong while a file is read, named. Raises DamagedFileError, LakeUnreachableError."""
    try:
        yield
    except UnreachableError as error:
        raise LakeUnreachableError(place, error) from error
    except (OSError, pa.ArrowException) as error:
        raise DamagedFileError(place, error) from error


def parquet_file(store: Store, name: str, **options: Any) -> pq.ParquetFile:
    """A Parquet file, open for reading by one thread. What is read of it is what was written, or an error.

    Raises DamagedFileError, LakeUnreachableError.
    """
    with reading(store.place(name)):  # neighbouring columns of a remote file are fetched at once
        return pq.ParquetFile(store.open(name), pre_buffer=store.is_remote, page_checksum_verification=True, **options)


def plain(error: BaseException) -> str:
    """What an error of a client says, as one short line: theirs come with colours and whole answers of servers."""
    said = re.sub(r"\x1b\[[0-9;]*m|↳", "", str(error))
    code = re.search(r"<Code>(\w+)</Code>", said)
    said = re.sub(r"<\?xml.*", "", said.partition("Debug source:")[0], flags=re.DOTALL)
    return " ".join([*said.split(), *([code[1]] if code else [])])[:400]
