"""What apps do by the clock: each routine in a task of its own, again and again while the server runs."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import timedelta

import structlog

_log = structlog.get_logger(__name__)

_PAUSE_S = 5.0


class Routines:
    """Starts routines and ends them; used from the event loop's thread only."""

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, name: str, every: timedelta, call: Callable[[], Awaitable[object]]) -> None:
        """Call it when each period is over, never twice at once; the first time after one period."""
        self._tasks.append(asyncio.create_task(_go_on(name, every.total_seconds(), call), name=f"routine:{name}"))

    def once(self, name: str, call: Callable[[], Awaitable[object]]) -> None:
        """Call it at once, and again after a pause until it has not raised."""
        self._tasks.append(asyncio.create_task(_until_done(name, call), name=f"routine:{name}"))

    async def close(self) -> None:
        """End all, amid what they do."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        for task in tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task


async def _until_done(name: str, call: Callable[[], Awaitable[object]]) -> None:
    while True:
        try:
            await call()
        except Exception as error:  # noqa: BLE001 as below; such as a database that is away for a moment
            _log.exception("routine.failed", routine=name, reason=str(error))
            await asyncio.sleep(_PAUSE_S)
        else:
            return


async def _go_on(name: str, period_s: float, call: Callable[[], Awaitable[object]]) -> None:
    is_failing = False
    while True:
        await asyncio.sleep(period_s)
        try:
            await call()
        except Exception as error:  # noqa: BLE001 whatever one app's routine raises, it is tried again
            if not is_failing:
                _log.exception("routine.failed", routine=name, reason=str(error))
            is_failing = True
        else:
            if is_failing:
                _log.info("routine.recovered", routine=name)
            is_failing = False
