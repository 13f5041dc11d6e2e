"""The contract of a bus: events and live batches from those who say to those who listen."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

BATCH_TOPIC = "telemetry.batch"  # body: a pa.RecordBatch (schema STORED) that is durable already
IMPORTED_TOPIC = "telemetry.history.imported"  # body: an Imported: which tags have new samples in which range


@dataclass(frozen=True, slots=True)
class Event:
    """A fact, in the past tense: `scheduling.campaign.ended`. `body` is never changed by whoever gets it."""

    topic: str
    body: Any
    at: datetime


Listener = Callable[[Event], Awaitable[None]]
OnDrop = Callable[[], None]


class Bus(Protocol):
    """Carries each event to every listener of its topic, in the order said, each listener at its own pace.

    A slow or failing listener never holds up who speaks, nor other listeners: each has a bounded queue, and what does
    not fit is dropped, oldest first, counted and said once. What must not be lost is in the historian or the
    database before it is said.
    """

    def publish(self, event: Event) -> None:
        """Hand an event over; returns at once."""

    def subscribe(self, topic: str, listener: Listener, *, name: str, on_drop: OnDrop | None = None) -> None:
        """Call `listener` for each event of exactly this topic. `name` says who listens, in logs and counts.

        `on_drop` is called at once, by whoever speaks, for each event that finds no room: for listeners that must then
        look for themselves what they missed.
        """

    def waiting(self) -> int:
        """How many events wait for listeners that have not come to them yet."""

    async def close(self) -> None:
        """Deliver what is queued, then stop."""
