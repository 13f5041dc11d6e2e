"""Steps that nobody decided in time: said once, and opened to the role that they escalate to."""

from datetime import datetime

import structlog
from sqlalchemy import select

from athanor.kernel.bus.port import Bus, Event
from athanor.kernel.database.database import Database
from athanor.kernel.forms import telling
from athanor.kernel.forms.building import Definitions
from athanor.kernel.forms.deciders import People, read_people
from athanor.kernel.forms.tables import EntryRow, HistoryRow, WaitingRow

_log = structlog.get_logger(__name__)


async def tell_overdue(database: Database, definitions: Definitions, bus: Bus, now: datetime) -> int:
    """Say of every step that became overdue that it is, and let its role of escalation decide too: how many."""
    events: list[Event] = []
    people: People | None = None
    async with database.session() as session:
        query = (
            select(WaitingRow, EntryRow)
            .join(EntryRow, EntryRow.id == WaitingRow.entry_id)
            .where(WaitingRow.due_at <= now, WaitingRow.reminded_at.is_(None))
            .with_for_update()
        )
        for waiting, entry in (await session.execute(query)).all():
            definition = await definitions.version(session, entry.definition_id, entry.version)
            role = definition.step(waiting.step).escalate_to
            waiting.reminded_at, waiting.escalated_to = now, role or None
            people = people or await read_people(session)
            await telling.tell_overdue(session, waiting, entry, definition, people, now)
            body = {
                "entry_id": entry.id, "form_id": entry.definition_id, "tenant": entry.tenant, "subject": entry.subject,
                "step": waiting.step, "who": waiting.who, "name": waiting.name, "escalated_to": role or None,
            }  # fmt: skip
            for what in ["overdue"] + (["escalated"] if role else []):
                detail = {"step": waiting.step, "role": role}
                session.add(HistoryRow(tenant=entry.tenant, entry_id=entry.id, at=now, by="", what=what, detail=detail))
                events.append(Event(f"forms.step.{what}", body, now))
    for event in events:
        bus.publish(event)
    if events:
        _log.info("forms.steps-overdue", events=len(events))
    return len(events)
