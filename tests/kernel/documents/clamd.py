"""A server that speaks clamd's protocol over TCP or a unix socket, and knows one virus: EICAR's test file."""

import asyncio
from pathlib import Path

from .sending import EICAR


class Clamd:
    """Answers INSTREAM as clamd does: chunks with their length in four bytes, one of none at the end."""

    def __init__(self, *, most_bytes: int = 10_000_000, is_silent: bool = False) -> None:
        self._most_bytes, self._is_silent = most_bytes, is_silent
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def start(self, socket: Path | None = None) -> str:
        """Listen; returns the address as settings write it."""
        if socket is not None:
            self._server: asyncio.Server = await asyncio.start_unix_server(self._answer, socket)
            return f"unix://{socket}"
        self._server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        return f"tcp://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def stop(self) -> None:
        self._server.close()
        await self._server.wait_closed()

    async def _answer(self, reading: asyncio.StreamReader, writing: asyncio.StreamWriter) -> None:
        try:
            writing.write(await self._verdict(reading) + b"\0")
            await writing.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client went away
        finally:
            writing.close()

    async def _verdict(self, reading: asyncio.StreamReader) -> bytes:
        assert await reading.readuntil(b"\0") == b"zINSTREAM\0"
        content = b""
        while length := int.from_bytes(await reading.readexactly(4), "big"):
            content += await reading.readexactly(length)
            if len(content) > self._most_bytes:
                return b"INSTREAM size limit exceeded. ERROR"
        if self._is_silent:
            await reading.read()
        await self.may_answer.wait()
        return b"stream: Eicar-Test-Signature FOUND" if EICAR in content else b"stream: OK"
