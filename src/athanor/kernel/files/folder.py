"""Embedded: files in one folder of a local disk, and no server. For one plant, for development, for tests."""

import asyncio
import errno
import os
import stat
import time
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

from athanor.kernel.durable import flush
from athanor.kernel.files.port import (
    BadFileNameError,
    FileEntry,
    FileMissingError,
    FilesFullError,
    FilesUnreachableError,
    checked_name,
)

_T = TypeVar("_T")

RESERVE_MB = 256  # files stop before the historian does, which needs 64 MB: a sample is worth more than a waveform
_INCOMING = ".incoming"  # no name begins with a dot
_ABANDONED_AFTER_S = 86_400
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_THREADS = 8
_PAGE = 1000


class FolderFiles:
    """Implements `Files`; see its docstrings for the contract.

    A file comes in under a name of its own, is flushed, and then gets the name it was put under. So a crash leaves at
    most a piece in `.incoming`, which a later start removes. Nothing is put where the disk has less than `reserve_mb`
    left.
    """

    def __init__(self, folder: Path, *, reserve_mb: int = RESERVE_MB) -> None:
        """Open or make the folder. Raises FilesUnreachableError."""
        self._folder = folder.absolute()
        self._incoming = self._folder / _INCOMING
        self._reserve = reserve_mb * 1024**2
        self._flushed: set[Path] = set()  # folders that are on the disk
        try:
            self._incoming.mkdir(parents=True, exist_ok=True)
            self._remove_abandoned()
        except OSError as error:
            raise FilesUnreachableError(self._folder, error.strerror or error) from error
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="files")

    async def put(self, name: str, content: bytes | AsyncIterable[bytes]) -> None:
        """See `Files`."""
        place, coming = self._place(name), self._incoming / uuid4().hex
        try:
            if isinstance(content, bytes):
                await self._in_thread(lambda: self._put_whole(coming, place, content))
            else:
                await self._put_pieces(coming, place, content)
        except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
            raise BadFileNameError(name, "a file has the name of its folder, or a folder has its name") from error

    async def get(self, name: str) -> bytes:
        """See `Files`."""
        return await self._read(name, Path.read_bytes)

    async def get_range(self, name: str, start: int, length: int) -> bytes:
        """See `Files`."""
        return await self._read(name, lambda place: _range_of(place, start, length))

    async def size(self, name: str) -> int:
        """See `Files`."""
        return await self._read(name, _size_of)

    async def list_files(self, folder: str = "") -> AsyncIterator[FileEntry]:
        """See `Files`."""
        found = self._walk(self._place(folder) if folder else self._folder)
        while page := await self._in_thread(lambda: list(islice(found, _PAGE))):
            for entry in page:
                yield entry

    async def delete(self, name: str) -> None:
        """See `Files`."""
        place = self._place(name)
        await self._in_thread(lambda: _unlink(place))

    async def check(self) -> None:
        """See `Files`."""
        await self._in_thread(self._incoming.stat)

    async def close(self) -> None:
        """See `Files`."""
        await asyncio.to_thread(self._threads.shutdown)

    def _place(self, name: str) -> Path:
        return self._folder / checked_name(name)

    async def _in_thread(self, work: Callable[[], _T]) -> _T:
        """Work that touches the disk; its errors become ours."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        except (FileExistsError, NotADirectoryError, IsADirectoryError):
            raise
        except OSError as error:
            kind = FilesFullError if error.errno in _FULL else FilesUnreachableError
            raise kind(self._folder, error.strerror or error) from error

    async def _read(self, name: str, work: Callable[[Path], _T]) -> _T:
        """Work on a file that should be there."""
        place = self._place(name)

        def look() -> _T | None:
            try:
                return work(place)
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
                return None

        found = await self._in_thread(look)
        if found is None:
            raise FileMissingError(name, self._folder)
        return found

    def _put_whole(self, coming: Path, place: Path, content: bytes) -> None:
        try:
            with coming.open("xb", buffering=0) as file:
                self._check_room(len(content))
                left = memoryview(content)
                while left:
                    left = left[file.write(left) :]
                os.fsync(file)
            self._give_name(coming, place)
        except BaseException:
            coming.unlink(missing_ok=True)
            raise

    async def _put_pieces(self, coming: Path, place: Path, content: AsyncIterable[bytes]) -> None:
        """Each step in a thread; a caller who is cancelled leaves nothing behind."""
        file = await self._in_thread(lambda: coming.open("xb"))

        def add(piece: bytes) -> None:
            self._check_room(len(piece))
            file.write(piece)

        def finish() -> None:
            file.flush()
            os.fsync(file)
            file.close()
            self._give_name(coming, place)

        def abandon() -> None:
            with suppress(OSError):  # what is left in the buffer finds no room: said already
                file.close()  # waits for a write that a cancelled caller has left to its thread
            coming.unlink(missing_ok=True)

        try:
            async for piece in content:
                await self._in_thread(partial(add, piece))
            await self._in_thread(finish)
        except BaseException:
            await asyncio.shield(self._in_thread(abandon))
            raise

    def _check_room(self, size: int) -> None:
        disk = os.statvfs(self._incoming)
        free = disk.f_bavail * disk.f_frsize
        if free < self._reserve + size:
            reason = f"the disk has {free // 1024**2} MB left, of which {self._reserve // 1024**2} are kept free"
            raise FilesFullError(self._folder, reason)

    def _give_name(self, coming: Path, place: Path) -> None:
        """Give a file that is on the disk its name, durably."""
        place.parent.mkdir(parents=True, exist_ok=True)
        coming.replace(place)
        flush(place.parent)
        folders = [folder for folder in (place.parent, *place.parents) if folder.is_relative_to(self._folder)]
        fresh = [folder for folder in folders if folder not in self._flushed]
        for folder in fresh:  # once each, since we never remove one
            flush(folder.parent)
        self._flushed.update(fresh)

    def _walk(self, folder: Path) -> Iterator[FileEntry]:
        with suppress(FileNotFoundError, NotADirectoryError), os.scandir(folder) as found:
            for one in found:
                if one.name == _INCOMING:
                    continue
                if one.is_dir(follow_symlinks=False):
                    yield from self._walk(Path(one.path))
                    continue
                with suppress(FileNotFoundError):  # deleted meanwhile
                    known = one.stat()
                    name = Path(one.path).relative_to(self._folder).as_posix()
                    yield FileEntry(name, known.st_size, datetime.fromtimestamp(known.st_mtime, UTC))

    def _remove_abandoned(self) -> None:
        oldest = time.time() - _ABANDONED_AFTER_S
        for coming in self._incoming.iterdir():
            with suppress(FileNotFoundError):
                if coming.stat().st_mtime < oldest:
                    coming.unlink()


def _range_of(place: Path, start: int, length: int) -> bytes:
    with place.open("rb") as file:
        file.seek(start)
        return file.read(length)


def _size_of(place: Path) -> int:
    known = place.stat()
    if not stat.S_ISREG(known.st_mode):
        raise IsADirectoryError(place)
    return known.st_size


def _unlink(place: Path) -> None:
    with suppress(FileNotFoundError, NotADirectoryError, IsADirectoryError):
        place.unlink()
