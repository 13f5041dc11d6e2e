"""The search for viruses: by a command that is given a file's path, or by clamd over a socket."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit
from uuid import uuid4

from athanor.kernel.documents.errors import ScannerFailedError

_INFECTED = 1
_LONGEST_FINDING = 200
_CHUNK = 1 << 18  # sent to clamd at a time [B]
_LONGEST_ANSWER = 4096


class Scanner(Protocol):
    """Searches files for viruses."""

    async def scan(self, content: AsyncIterator[bytes]) -> str | None:
        """The name of what was found; None for a clean file. Raises ScannerFailedError, and what `content` raises."""


class CommandScanner:
    """A command that is given a file's path as its last argument: it ends with 0 for clean and 1 for infected.

    The last word of its first line that is not `FOUND` names what was found, as with clamscan.
    """

    def __init__(self, command: Sequence[str], folder: Path, *, timeout_s: float) -> None:
        """`folder` holds files while they are searched, and nothing else."""
        self._command, self._folder, self._timeout_s = tuple(command), folder, timeout_s

    async def scan(self, content: AsyncIterator[bytes]) -> str | None:
        """See `Scanner`."""
        path = self._folder / uuid4().hex
        try:
            try:
                await asyncio.to_thread(self._folder.mkdir, mode=0o700, parents=True, exist_ok=True)
                with await asyncio.to_thread(path.open, "xb") as file:
                    async for piece in content:
                        await asyncio.to_thread(file.write, piece)
            except OSError as error:
                raise ScannerFailedError(self._command[0], error.strerror) from error
            return await self._run(path)
        finally:
            path.unlink(missing_ok=True)

    async def _run(self, path: Path) -> str | None:
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command,
                str(path),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
        except OSError as error:
            raise ScannerFailedError(self._command[0], error.strerror) from error
        try:
            said, complained = await asyncio.wait_for(process.communicate(), self._timeout_s)
        except TimeoutError:
            raise ScannerFailedError(self._command[0], f"it took more than {self._timeout_s:g} s") from None
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        if process.returncode == 0:
            return None
        if process.returncode == _INFECTED:
            return _finding(said.decode("utf-8", "replace").replace(str(path), ""))
        complaint = complained.decode("utf-8", "replace").replace(str(path), "the file").strip()[:_LONGEST_FINDING]
        raise ScannerFailedError(self._command[0], f"it ended with {process.returncode}: {complaint}")


class ClamdScanner:
    """clamd, by its command INSTREAM, over `tcp://HOST:PORT` or `unix:///SOCKET`."""

    def __init__(self, url: str, *, timeout_s: float) -> None:
        self._url, self._timeout_s = url, timeout_s

    async def scan(self, content: AsyncIterator[bytes]) -> str | None:
        """See `Scanner`."""
        try:
            async with asyncio.timeout(self._timeout_s):
                answer = await self._ask(content)
        except TimeoutError:
            raise ScannerFailedError(self._url, f"it took more than {self._timeout_s:g} s") from None
        except (OSError, ValueError) as error:
            raise ScannerFailedError(self._url, getattr(error, "strerror", None) or error) from error
        said = answer.removeprefix("stream:").strip()
        if said == "OK":
            return None
        if said.endswith(" FOUND"):
            return _finding(said)
        raise ScannerFailedError(self._url, f"it said {said[:_LONGEST_FINDING]!r}")

    async def _ask(self, content: AsyncIterator[bytes]) -> str:
        reading, writing = await self._connect()
        try:
            # clamd may answer and hang up before the end, as where the file is longer than it takes.
            with suppress(ConnectionError):
                writing.write(b"zINSTREAM\0")
                async for piece in content:
                    for start in range(0, len(piece), _CHUNK):
                        chunk = piece[start : start + _CHUNK]
                        writing.write(len(chunk).to_bytes(4, "big") + chunk)
                        await writing.drain()
                writing.write((0).to_bytes(4, "big"))
                await writing.drain()
            answer = await reading.read(_LONGEST_ANSWER)
        finally:
            writing.close()
            with suppress(OSError):
                await writing.wait_closed()
        return answer.rstrip(b"\0\n").decode("utf-8", "replace")

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        place = urlsplit(self._url)
        if place.scheme == "unix":
            return await asyncio.open_unix_connection(unquote(place.path))
        return await asyncio.open_connection(place.hostname, place.port)


def _finding(said: str) -> str:
    words = (said.strip().splitlines() or [""])[0].removesuffix("FOUND").split()
    return words[-1].strip(":")[:_LONGEST_FINDING] or "unnamed" if words else "unnamed"
