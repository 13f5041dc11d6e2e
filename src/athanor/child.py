"""A child process that lives no longer than we do, and is started again when it fails."""

import asyncio
import contextlib
import sys
from collections.abc import Mapping, Sequence

import structlog

from athanor.kernel.errors import AthanorError

_log = structlog.get_logger(__name__)

_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 30.0
_STEADY_AFTER_S = 60.0  # a child that lived so long starts again without a pause
_END_WITHIN_S = 10.0
_LONGEST_LINE = 1024 * 1024  # [B] of what a child says when it is ready


class ChildFailedError(AthanorError):
    """A child ended before it was ready."""

    code = "server.child-failed"

    def __init__(self, name: str) -> None:
        super().__init__(f"The process {name!r} ended before it was ready. What it wrote above says why.")


class Child:
    """Runs `python -m module arguments`, again when it ends unasked.

    The child watches its standard input: when we die, however we die, the pipe closes and it stops by itself.
    What it writes to its standard output is read: the first line of each run says that it is ready, the rest is
    nobody's. Use as an asynchronous context manager.
    """

    def __init__(self, name: str, module: str, arguments: Sequence[str], environment: Mapping[str, str]) -> None:
        self._name = name
        self._command = [sys.executable, "-P", "-m", module, *arguments]  # -P: nothing from the current folder
        self._environment = dict(environment)
        self._process: asyncio.subprocess.Process | None = None
        self._is_ending = False
        self._keeper: asyncio.Task[None] | None = None
        self._ready: asyncio.Future[str] | None = None

    async def ready(self) -> str:
        """The first line that the child wrote; waits for it. Raises ChildFailedError when it ends before."""
        if self._ready is None:
            raise RuntimeError("A child is asked whether it is ready once it is started.")
        return await asyncio.shield(self._ready)

    async def __aenter__(self) -> "Child":
        self._ready = asyncio.get_running_loop().create_future()
        self._keeper = asyncio.create_task(self._keep_running(), name=f"child:{self._name}")
        return self

    async def __aexit__(self, *_: object) -> None:
        self._is_ending = True
        await self._end()
        if self._keeper is not None:
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeper

    async def _keep_running(self) -> None:
        pause_s = _FIRST_PAUSE_S
        while not self._is_ending:
            started = asyncio.get_running_loop().time()
            status = await self._run_once()
            if self._is_ending:
                return
            if asyncio.get_running_loop().time() - started >= _STEADY_AFTER_S:
                pause_s = _FIRST_PAUSE_S
            _log.error("child.ended", child=self._name, status=status, again_in_s=pause_s)
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    async def _run_once(self) -> int | str:
        """Start it and wait for its end: its exit status, or why it could not be started."""
        try:
            process = await self._start()
        except OSError as error:
            return str(error)
        await self._read_output(process)
        return await process.wait()

    async def _start(self) -> asyncio.subprocess.Process:
        # A session of its own: Ctrl-C reaches us alone, and we stop our children in order.
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=_LONGEST_LINE,
            env=self._environment,
            start_new_session=True,
        )
        _log.info("child.started", child=self._name, pid=self._process.pid)
        return self._process

    async def _read_output(self, process: asyncio.subprocess.Process) -> None:
        """Until the child closes it, as it does when it ends."""
        if process.stdout is None or self._ready is None:
            return
        line = await process.stdout.readline()
        if line and not self._ready.done():
            self._ready.set_result(line.decode(errors="replace").strip())
        while await process.stdout.read(65_536):
            continue  # nobody's, but a full pipe would hold the child up
        if not self._ready.done():
            self._ready.set_exception(ChildFailedError(self._name))

    async def _end(self) -> None:
        process = self._process
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), _END_WITHIN_S)
        except TimeoutError:
            _log.error("child.killed", child=self._name, after_s=_END_WITHIN_S)
            process.kill()
            await process.wait()
