"""Compute in processes of this machine. Embedded: for one server, development and tests.

A process that hangs is killed and replaced; one that wants too much memory is told so by the system.
"""

import asyncio
import ctypes
import multiprocessing
import os
import resource
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pebble import ProcessExpired, ProcessPool

from athanor.kernel.compute.port import Answer, ComputeDiedError, ComputeMemoryError, ComputeTimeoutError

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_MEGABYTE = 1 << 20
_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG of <sys/prctl.h>
_CLOSE_WITHIN_S = 5.0


class Processes:
    """Implements `Compute` by a pool that starts with the first calculation; used from the event loop's thread only."""

    def __init__(self, workers: int | None = None) -> None:
        self._workers = workers or max(1, (os.cpu_count() or 2) - 1)  # one is left for the server itself
        self._turns = asyncio.Semaphore(self._workers)
        self._pool: ProcessPool | None = None

    async def run(
        self, function: Callable[..., Answer], *args: Any, timeout_s: float = 600.0, memory_mb: int = 1024
    ) -> Answer:
        """See `Compute`."""
        async with self._turns:
            return await self._run(function, args, timeout_s, memory_mb)

    async def close(self) -> None:
        """See `Compute`."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.stop()  # type: ignore[no-untyped-call]
            await asyncio.to_thread(pool.join, _CLOSE_WITHIN_S)

    async def _run(
        self, function: Callable[..., Answer], args: tuple[Any, ...], timeout_s: float, memory_mb: int
    ) -> Answer:
        future = self._opened().schedule(_limited, args=[function, args, memory_mb])
        waiting: asyncio.Future[Answer] = asyncio.wrap_future(future)
        name = f"{function.__module__}.{function.__qualname__}"
        try:  # by the loop's steady clock: the pool's own limit goes by the one on the wall
            done, _late = await asyncio.wait({waiting}, timeout=timeout_s)
            if not done:
                raise ComputeTimeoutError(name, timeout_s)
            return waiting.result()
        except ProcessExpired as error:
            raise ComputeDiedError(name, error.exitcode) from error
        except MemoryError as error:
            raise ComputeMemoryError(name, memory_mb) from error
        finally:
            future.cancel()  # type: ignore[no-untyped-call]  # kills the process where it still runs
            waiting.add_done_callback(_heard)

    def _opened(self) -> ProcessPool:
        if self._pool is None or not self._pool.active:
            context = multiprocessing.get_context("spawn")  # a fork would copy threads' locks in any state
            self._pool = ProcessPool(self._workers, initializer=_begin, context=context)
        return self._pool


def _begin() -> None:
    """In a process of the pool: end with the server, however that ends, and leave the processor to it."""
    os.nice(5)
    ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)


def _limited(function: Callable[..., Any], args: tuple[Any, ...], memory_mb: int) -> Any:
    """In a process of the pool: call it with so much memory more than there is in use."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    used = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * _PAGE_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (used + memory_mb * _MEGABYTE, hard))
    try:
        return function(*args)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (hard, hard))


def _heard(waiting: "asyncio.Future[Any]") -> None:
    """That it was cancelled, or failed after that, is known."""
    if not waiting.cancelled():
        waiting.exception()
