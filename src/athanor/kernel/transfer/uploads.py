"""Files that people have sent and not yet imported: streamed to the disk, seen by their owner, gone after a day."""

import asyncio
import re
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

from athanor.kernel.errors import AthanorError, NotFoundError
from athanor.kernel.identity.user import User

LAST = timedelta(days=1)
RESERVE_BYTES = 1 << 30  # left free on the disk, which live samples need more
_PIECE_BYTES = 1 << 20
_LOOK_EVERY_BYTES = 64 << 20  # how often free room is looked at
_LONGEST_NAME = 120


class FileTooLargeError(AthanorError):
    """A file is larger than the server takes."""

    code = "transfer.file-too-large"

    def __init__(self, name: str, most_bytes: int) -> None:
        super().__init__(
            f"{name} is larger than {most_bytes / 1e6:,.0f} MB, the most that is taken at once. Cut it into several, "
            "or raise transfer.most_upload_mb."
        )


class NoRoomForFileError(AthanorError):
    """The server's disk has no room for a file."""

    code = "transfer.no-room"

    def __init__(self, name: str, reason: object) -> None:
        super().__init__(
            f"The server's disk has no room for {name} ({reason}). Live samples need what is left; free disk space."
        )


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that somebody sent."""

    id: str
    name: str  # as the person calls it, without folders
    owner: str  # login
    size: int  # bytes
    path: Path
    created_at: datetime


class Uploads:
    """Keeps files until they are imported, forgotten, or a day old. Used from the event loop's thread."""

    def __init__(
        self,
        folder: Path,
        *,
        most_bytes: int,
        reserve_bytes: int = RESERVE_BYTES,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`folder` is the uploads' own: what an earlier run left there is removed."""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        self._folder = folder
        self.most_bytes = most_bytes
        self._reserve_bytes = reserve_bytes
        self._now = now
        self._known: dict[str, Upload] = {}
        self._held: dict[str, int] = {}

    async def receive(
        self, name: str, owner: User, parts: AsyncIterator[bytes], *, expected_bytes: int | None = None
    ) -> Upload:
        """Write a file as it comes. Raises FileTooLargeError and NoRoomForFileError; then nothing of it stays."""
        self.sweep()
        name = plain_name(name)
        if expected_bytes is not None and expected_bytes > self.most_bytes:
            raise FileTooLargeError(name, self.most_bytes)
        self._check_room(name, expected_bytes or 0)
        folder = self._folder / uuid4().hex
        try:
            await asyncio.to_thread(folder.mkdir)
            size = await self._write(folder / "file", name, parts)
        except BaseException as error:
            await asyncio.shield(asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True))
            if isinstance(error, OSError):
                raise NoRoomForFileError(name, error.strerror) from error
            raise
        upload = Upload(folder.name, name, owner.login, size, folder / "file", self._now())
        self._known[upload.id] = upload
        asyncio.get_running_loop().call_later(LAST.total_seconds() + 1, self.sweep)
        return upload

    def get(self, upload_id: str, viewer: User) -> Upload:
        """Raises NotFoundError, also for a file of somebody else."""
        upload = self._known.get(upload_id)
        if upload is None or upload.owner != viewer.login:
            raise NotFoundError("file", upload_id)
        return upload

    @contextmanager
    def held(self, upload: Upload) -> Iterator[None]:
        """Keep a file within the block, whatever its age."""
        self._held[upload.id] = self._held.get(upload.id, 0) + 1
        try:
            yield
        finally:
            self._held[upload.id] -= 1

    def forget(self, upload: Upload) -> None:
        """Remove a file, unless somebody holds it."""
        if not self._held.get(upload.id):
            self._known.pop(upload.id, None)
            self._held.pop(upload.id, None)
            shutil.rmtree(upload.path.parent, ignore_errors=True)

    def sweep(self) -> None:
        """Remove what is old."""
        for upload in list(self._known.values()):
            if self._now() - upload.created_at >= LAST:
                self.forget(upload)

    async def _write(self, path: Path, name: str, parts: AsyncIterator[bytes]) -> int:
        size, looked_at = 0, 0
        with await asyncio.to_thread(path.open, "wb") as file:
            waiting = bytearray()
            async for part in parts:
                waiting += part
                size += len(part)
                if size > self.most_bytes:
                    raise FileTooLargeError(name, self.most_bytes)
                if len(waiting) >= _PIECE_BYTES:
                    await asyncio.to_thread(file.write, bytes(waiting))
                    waiting.clear()
                if size - looked_at >= _LOOK_EVERY_BYTES:
                    self._check_room(name, 0)
                    looked_at = size
            await asyncio.to_thread(file.write, bytes(waiting))
        return size

    def _check_room(self, name: str, wanted: int) -> None:
        free = shutil.disk_usage(self._folder).free
        if free - wanted < self._reserve_bytes:
            raise NoRoomForFileError(name, f"{free / 1e6:,.0f} MB are free")


def plain_name(name: str) -> str:
    """A file's name without folders and signs that no name needs; `file` where nothing is left."""
    last = re.split(r"[/\\]", name)[-1]
    return re.sub(r"[\x00-\x1f\x7f]", "", last).strip()[:_LONGEST_NAME] or "file"
