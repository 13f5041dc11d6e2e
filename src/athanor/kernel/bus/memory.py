"""The in-process bus. Embedded: for one server process, development and tests."""

import asyncio
import contextlib
from collections import deque

import structlog

from athanor.kernel.bus.port import Event, Listener, OnDrop
from athanor.kernel.metrics import BUS_DROPPED, BUS_FAILED

_log = structlog.get_logger(__name__)
_QUEUE_LENGTH = 1000  # events that may wait for one listener
_CLOSE_WITHIN_S = 5.0


class MemoryBus:
    """Implements `Bus`; used from the event loop's thread only."""

    def __init__(self) -> None:
        self._queues: dict[str, list[_Queue]] = {}

    def publish(self, event: Event) -> None:
        """See `Bus`."""
        for queue in self._queues.get(event.topic, ()):
            queue.put(event)

    def subscribe(self, topic: str, listener: Listener, *, name: str, on_drop: OnDrop | None = None) -> None:
        """See `Bus`."""
        self._queues.setdefault(topic, []).append(_Queue(topic, listener, name, on_drop))

    def waiting(self) -> int:
        """See `Bus`."""
        return sum(queue.length for queues in self._queues.values() for queue in queues)

    async def close(self) -> None:
        """See `Bus`."""
        queues = [queue for queues in self._queues.values() for queue in queues]
        self._queues.clear()
        await asyncio.gather(*(queue.close() for queue in queues))


class _Queue:
    """What waits for one listener, and the task that hands it over."""

    def __init__(self, topic: str, listener: Listener, name: str, on_drop: OnDrop | None) -> None:
        self._topic = topic
        self._listener = listener
        self._name = name
        self._on_drop = on_drop
        self._waiting: deque[Event] = deque()
        self._has_work = asyncio.Event()
        self._is_closing = False
        self._is_behind = False
        self._task = asyncio.create_task(self._deliver(), name=f"bus:{name}")

    @property
    def length(self) -> int:
        return len(self._waiting)

    def put(self, event: Event) -> None:
        if len(self._waiting) >= _QUEUE_LENGTH:
            self._waiting.popleft()
            BUS_DROPPED.labels(self._topic, self._name).inc()
            if not self._is_behind:
                self._is_behind = True
                _log.warning("bus.listener-behind", topic=self._topic, listener=self._name, dropped="oldest")
            if self._on_drop is not None:
                self._on_drop()
        self._waiting.append(event)
        self._has_work.set()

    async def close(self) -> None:
        self._is_closing = True
        self._has_work.set()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._task, _CLOSE_WITHIN_S)

    async def _deliver(self) -> None:
        while self._waiting or not self._is_closing:
            if not self._waiting:
                self._say_recovered()
                self._has_work.clear()
                await self._has_work.wait()
                continue
            event = self._waiting.popleft()
            try:
                await self._listener(event)
            except Exception:  # noqa: BLE001 one listener's fault is its own: count it, log it, go on
                BUS_FAILED.labels(self._topic, self._name).inc()
                _log.exception("bus.listener-failed", topic=self._topic, listener=self._name)

    def _say_recovered(self) -> None:
        if self._is_behind:
            self._is_behind = False
            _log.info("bus.listener-caught-up", topic=self._topic, listener=self._name)
