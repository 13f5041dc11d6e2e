"""What the historian's threads have to say, brought to the bus and into the audit trail."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import structlog
from sqlalchemy.exc import SQLAlchemyError

from athanor.kernel.bus.port import Bus, Event
from athanor.kernel.database.database import Database
from athanor.kernel.historian.clearing import DROPPED_TOPIC, EXPIRED_TOPIC
from athanor.kernel.identity.audit import record

_log = structlog.get_logger(__name__)

_AUDITED = {EXPIRED_TOPIC: "historian.samples-expired", DROPPED_TOPIC: "historian.samples-dropped"}
_ACTOR = "historian"


class Announcer:
    """Takes what is said in any thread to the event loop that it was made in."""

    def __init__(self, bus: Bus, database: Database) -> None:
        self._loop = asyncio.get_running_loop()
        self._bus = bus
        self._database = database
        self._writing: set[asyncio.Task[None]] = set()

    def tell(self, topic: str, body: Mapping[str, Any]) -> None:
        """Say something; returns at once."""
        self._loop.call_soon_threadsafe(self._announce, topic, body)

    async def close(self) -> None:
        """Finish what was said until now."""
        await asyncio.sleep(0)  # what was said last is then announced
        await asyncio.gather(*self._writing)

    def _announce(self, topic: str, body: Mapping[str, Any]) -> None:
        self._bus.publish(Event(topic, body, datetime.now(UTC)))
        if topic in _AUDITED:
            task = self._loop.create_task(self._record(_AUDITED[topic], body), name=f"audit:{topic}")
            self._writing.add(task)
            task.add_done_callback(self._writing.discard)

    async def _record(self, action: str, body: Mapping[str, Any]) -> None:
        try:
            async with self._database.session() as session:
                record(session, _ACTOR, action, str(body["reason"]), detail=body)
        except SQLAlchemyError as error:  # it went all the same; the log has it
            _log.error("historian.removal-not-audited", action=action, detail=dict(body), reason=str(error))
