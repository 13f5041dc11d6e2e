"""Waking the pages that show alarms, as soon as one has changed: nobody waits for the next second to begin."""

import asyncio
from collections.abc import Awaitable, Callable
from weakref import WeakKeyDictionary

import structlog

from athanor.kernel.bus.port import Bus

_log = structlog.get_logger(__name__)

AT_MOST_EVERY_S = 0.2  # of one page: a flood must not keep a browser busy with drawing


class Watcher:
    """One page that wants to know.

    Parameters
    ----------
    show
        Shows what is so now.
    is_gone
        Whether nobody will look any more.
    """

    def __init__(self, show: Callable[[], Awaitable[None]], is_gone: Callable[[], bool]) -> None:
        self._show = show
        self.is_gone = is_gone
        self._is_due = False
        self._task: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """Show soon; what comes while it is being shown is shown right after."""
        self._is_due = True
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name="alarms:page")

    async def _run(self) -> None:
        while self._is_due and not self.is_gone():
            self._is_due = False
            try:
                await self._show()
            except Exception as error:  # noqa: BLE001 (one page's trouble is not another's; it is shown again)
                _log.exception("alarms.page-failed", reason=str(error))
            await asyncio.sleep(AT_MOST_EVERY_S)


class Watch:
    """Every page that shows alarms of one server. Used from the event loop's thread only."""

    def __init__(self) -> None:
        self._watchers: list[Watcher] = []
        self._revision = -1

    def add(self, watcher: Watcher) -> None:
        """Wake it from now on, until it is gone."""
        self._watchers = [one for one in self._watchers if not one.is_gone()]
        self._watchers.append(watcher)

    def wake(self) -> None:
        """Something changed."""
        for watcher in self._watchers:
            if not watcher.is_gone():
                watcher.wake()

    def note(self, revision: int) -> None:
        """Wake where this is another revision than the last: another server may have changed something."""
        if revision != self._revision:
            self._revision = revision
            self.wake()


_watches: WeakKeyDictionary[Bus, Watch] = WeakKeyDictionary()


def watch_of(bus: Bus) -> Watch:
    """The pages of the server whose bus this is."""
    return _watches.setdefault(bus, Watch())
