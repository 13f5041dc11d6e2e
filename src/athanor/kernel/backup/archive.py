"""A place that holds backups: a folder, or a prefix of a bucket.

20261121T184926Z.json               what a backup is made of; written last
data/20261121T184926.120Z/lake/…    what this backup added; later ones point to it where it has not changed
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

import structlog

from athanor.kernel.backup.errors import DestinationError, NoBackupError
from athanor.kernel.backup.manifest import Entry, Manifest, from_bytes, to_bytes
from athanor.kernel.historian.port import HistorianUnopenableError
from athanor.kernel.historian.s3 import S3Store
from athanor.kernel.historian.store import FolderStore, Store
from athanor.kernel.settings import Settings, folder_of

_log = structlog.get_logger(__name__)

_DATA = "data"
_ENDING = ".json"
_PIECE = 1024 * 1024  # [B]


def archive_at(place: str, settings: Settings) -> "Archive":
    """The archive in a folder (a path, or file:///…) or at s3://BUCKET/PREFIX. Raises DestinationError."""
    scheme = urlsplit(place).scheme
    if scheme == "s3":
        try:
            return Archive(S3Store(place, **settings.s3.for_adapters()))
        except HistorianUnopenableError as error:
            raise DestinationError(place, error) from error
    if scheme and scheme != "file":
        raise DestinationError(place, "only folders and s3://BUCKET/PREFIX hold backups")
    return Archive(FolderStore(folder_of(place) if scheme == "file" else Path(place)))


class Archive:
    """Reads and writes backups in one store."""

    def __init__(self, store: Store) -> None:
        self.store = store

    @property
    def place(self) -> str:
        """Where it lies."""
        return self.store.url

    @contextmanager
    def writing(self, beside: Path) -> Iterator[None]:
        """Be the only one who writes here, meanwhile. Raises DestinationError."""
        with self._explained():
            claim = self.store.claim(beside)
        try:
            yield
        finally:
            claim.release()

    def manifests(self) -> list[Manifest]:
        """The backups that are there, oldest first, without those in `unreadable`.

        Raises DestinationError.
        """
        return [one for name in self._names() if (one := self._read(name)) is not None]

    def unreadable(self) -> list[str]:
        """The backups whose manifests are not whole."""
        return [name for name in self._names() if self._read(name) is None]

    def manifest(self, name: str | None = None) -> Manifest:
        """One backup by its name, or the newest. Raises NoBackupError, DestinationError."""
        found = [one for one in self.manifests() if name in (None, one.name)]
        if not found:
            raise NoBackupError(self.place, name)
        return found[-1]

    def add(self, path: str, backup: str, source: IO[bytes], *, stamp: str = "", most: int | None = None) -> Entry:
        """Copy a file into the archive: whole and durable on return. `most` ends it after so many bytes.

        Raises DestinationError, and what reading the source raises.
        """
        name = f"{_DATA}/{backup}/{path}"
        digest, size = hashlib.sha256(), 0
        with self._explained(), self.store.create(name) as target:
            for piece in _pieces(source, most):
                digest.update(piece)
                size += len(piece)
                target.write(piece)
        return Entry(path, name, size, digest.hexdigest(), stamp)

    def remove(self, path: str, backup: str) -> None:
        """Take back a file that was added to a backup which is not finished. Raises DestinationError."""
        with self._explained():
            self.store.remove([f"{_DATA}/{backup}/{path}"])

    def finish(self, manifest: Manifest) -> None:
        """Make a backup of what was added. Raises DestinationError."""
        name = f"{manifest.name}{_ENDING}"
        draft = name if self.store.is_remote else f"{name}.draft"  # in an object store it comes whole or not at all
        with self._explained():
            with self.store.create(draft) as target:
                target.write(to_bytes(manifest))
            if draft != name:
                Path(self.store.place(draft)).replace(self.store.place(name))
                self.store.make_durable(name)

    def open(self, entry: Entry) -> IO[bytes]:
        """A file of a backup. Raises OSError."""
        return self.store.open(entry.stored_as)

    def sweep(self) -> None:
        """Remove what belongs to no backup, such as what an interrupted one left.

        Nothing is removed while a manifest cannot be read: what it names is not known. Raises DestinationError.
        """
        if broken := self.unreadable():
            _log.warning("backup.nothing-swept", place=self.place, unreadable=broken)
            return
        known = {entry.stored_as for manifest in self.manifests() for entry in manifest.entries}
        with self._explained():
            self.store.remove(set(self._objects()) - known)

    def drop(self, names: Iterable[str]) -> None:
        """Let backups go; what only they were made of goes too. Raises DestinationError."""
        with self._explained():
            self.store.remove([f"{name}{_ENDING}" for name in names])
        self.sweep()

    def _objects(self) -> list[str]:
        drafts = [name for name in self._top() if name.endswith(f"{_ENDING}.draft")]
        return [*self.store.names(_DATA), *drafts]

    def _names(self) -> list[str]:
        with self._explained():
            return sorted(name.removesuffix(_ENDING) for name in self._top() if name.endswith(_ENDING))

    def _top(self) -> list[str]:
        if self.store.is_remote:
            return [name for name in self.store.names() if "/" not in name and name != "lease.json"]
        with suppress(FileNotFoundError):
            return [path.name for path in Path(self.place).iterdir() if path.is_file()]
        return []

    def _read(self, name: str) -> Manifest | None:
        with self._explained(), self.store.open(f"{name}{_ENDING}") as file:
            body = bytes(file.read())
        try:
            return from_bytes(body)
        except ValueError:
            return None

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """What the destination says, as ours. What a source raises comes as a SourceGoneError, and passes."""
        try:
            yield
        except SourceGoneError:
            raise
        except OSError as error:
            raise DestinationError(self.place, error) from error


class SourceGoneError(Exception):
    """What was being copied is no longer there, or no longer what it was."""

    def __init__(self, error: OSError) -> None:
        super().__init__(str(error))


def _pieces(source: IO[bytes], most: int | None) -> Iterator[bytes]:
    left = most
    while left is None or left > 0:
        try:
            piece = bytes(source.read(_PIECE if left is None else min(_PIECE, left)))
        except OSError as error:
            raise SourceGoneError(error) from error
        if not piece:
            return
        if left is not None:
            left -= len(piece)
        yield piece


def checked(archive: Archive, entry: Entry, take: Callable[[bytes], object]) -> str | None:
    """Hand over a file of a backup piece by piece; says what is wrong with it, None where it is as it was written."""
    digest, size = hashlib.sha256(), 0
    try:
        with archive.open(entry) as file:
            while piece := bytes(file.read(_PIECE)):
                digest.update(piece)
                size += len(piece)
                take(piece)
    except FileNotFoundError:
        return f"{entry.path} is missing"
    except OSError as error:
        return f"{entry.path} cannot be read ({error})"
    if size != entry.size:
        return f"{entry.path} has {size} bytes and should have {entry.size}"
    return None if digest.hexdigest() == entry.sha256 else f"{entry.path} is not what was written"
