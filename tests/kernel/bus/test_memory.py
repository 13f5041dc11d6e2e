"""The bus: every listener gets every event in order, at its own pace, and nobody holds up another."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from prometheus_client import REGISTRY

from athanor.kernel.bus.memory import MemoryBus
from athanor.kernel.bus.port import Event

NOW = datetime(2026, 11, 21, 8, tzinfo=UTC)
QUEUE_LENGTH = 1000


def event(body: object, topic: str = "test.thing.happened") -> Event:
    return Event(topic, body, NOW)


class Ear:
    """A listener that remembers; it listens while `may_listen` is set."""

    def __init__(self, fails_on: frozenset[object] = frozenset(), expects: int = 0) -> None:
        self.heard: list[object] = []
        self.heard_all = asyncio.Event()
        self._expects = expects
        self.may_listen = asyncio.Event()
        self.may_listen.set()
        self._fails_on = fails_on

    async def __call__(self, event: Event) -> None:
        await self.may_listen.wait()
        self.heard.append(event.body)
        if len(self.heard) == self._expects:
            self.heard_all.set()
        if event.body in self._fails_on:
            raise ValueError("this listener cannot")


@pytest.fixture
async def bus() -> AsyncIterator[MemoryBus]:
    opened = MemoryBus()
    yield opened
    await opened.close()


def counted(metric: str, listener: str) -> float:
    return REGISTRY.get_sample_value(metric, {"topic": "test.thing.happened", "listener": listener}) or 0.0


async def test_every_listener_of_a_topic_hears_each_event_in_order(bus: MemoryBus) -> None:
    first, second, other = Ear(), Ear(), Ear()
    bus.subscribe("test.thing.happened", first, name="first")
    bus.subscribe("test.thing.happened", second, name="second")
    bus.subscribe("test.thing", other, name="other")
    for number in range(100):
        bus.publish(event(number))
    bus.publish(event("nobody listens", topic="test.other.happened"))
    await bus.close()
    assert (first.heard, second.heard, other.heard) == ([*range(100)], [*range(100)], [])


async def test_a_listener_that_fails_is_counted_and_hears_what_follows(bus: MemoryBus) -> None:
    failing, other = Ear(fails_on=frozenset({1, 2})), Ear()
    before = counted("athanor_bus_failed_total", "failing")
    bus.subscribe("test.thing.happened", failing, name="failing")
    bus.subscribe("test.thing.happened", other, name="other")
    for number in range(4):
        bus.publish(event(number))
    await bus.close()
    assert failing.heard == other.heard == [0, 1, 2, 3]
    assert counted("athanor_bus_failed_total", "failing") - before == 2


async def test_a_slow_listener_loses_the_oldest_counted_and_holds_up_nobody(bus: MemoryBus) -> None:
    slow, quick = Ear(), Ear(expects=QUEUE_LENGTH + 500)
    slow.may_listen.clear()
    before = counted("athanor_bus_dropped_total", "slow")
    bus.subscribe("test.thing.happened", slow, name="slow")
    bus.subscribe("test.thing.happened", quick, name="quick")
    for number in range(QUEUE_LENGTH + 500):
        bus.publish(event(number))
        if number % 100 == 0:
            await asyncio.sleep(0)
    await asyncio.wait_for(quick.heard_all.wait(), 10)
    slow.may_listen.set()
    await bus.close()
    assert quick.heard == [*range(QUEUE_LENGTH + 500)]
    dropped = counted("athanor_bus_dropped_total", "slow") - before
    assert slow.heard[-QUEUE_LENGTH:] == [*range(500, QUEUE_LENGTH + 500)]
    assert len(slow.heard) + dropped == QUEUE_LENGTH + 500


async def test_a_listener_that_asked_hears_at_once_of_each_event_that_found_no_room(bus: MemoryBus) -> None:
    slow, dropped = Ear(), []
    slow.may_listen.clear()
    bus.subscribe("test.thing.happened", slow, name="looks-itself", on_drop=lambda: dropped.append(True))
    for number in range(QUEUE_LENGTH + 3):
        bus.publish(event(number))
    assert len(dropped) == 3
    slow.may_listen.set()


async def test_closing_delivers_what_is_queued_and_takes_nothing_more() -> None:
    bus, ear = MemoryBus(), Ear()
    bus.subscribe("test.thing.happened", ear, name="ear")
    bus.publish(event("before"))
    await bus.close()
    bus.publish(event("after"))
    await bus.close()
    assert ear.heard == ["before"]
