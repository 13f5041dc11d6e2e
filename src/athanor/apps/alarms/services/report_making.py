"""Reports on performance are made, kept among the documents and found again: by hand, and once a month."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from athanor.apps.alarms.services.performance import figures
from athanor.apps.alarms.services.performance_names import named, shown_alarms, told_after
from athanor.apps.alarms.services.performance_record import Wish, read
from athanor.apps.alarms.services.report_content import content
from athanor.apps.alarms.services.report_excel import to_excel
from athanor.apps.alarms.services.report_pdf import to_pdf
from athanor.kernel.database.database import Database
from athanor.kernel.documents.records import Filing, Incoming, Listed, Subject
from athanor.kernel.documents.records import Wish as DocumentWish
from athanor.kernel.documents.service import Documents
from athanor.kernel.identity.user import User
from athanor.kernel.plant.running import RunningPlant
from athanor.web.formatting import date_time
from athanor.web.language import _, speaking

KIND = "alarm_report"  # of tie
LABEL = "alarms.performance"
_MOST_LISTED = 100
_TICK = timedelta(microseconds=1)  # a period that ends at midnight has the day before as its last


class Form(StrEnum):
    """Files that a report is made as."""

    PDF = "pdf"
    EXCEL = "xlsx"


@dataclass(frozen=True, slots=True)
class Report:
    """A report's file."""

    name: str
    title: str
    content: bytes


async def make(database: Database, plant: RunningPlant, wish: Wish, form: Form, language: str, now: datetime) -> Report:
    """The report on a period, cut to what the database's viewer may see."""
    record = await read(database, plant, wish)
    found = await asyncio.to_thread(figures, record)
    names = await named(database, plant.model, record, shown_alarms(found))
    told = await told_after(database, wish.start, wish.end)

    def made() -> Report:
        with speaking(language):
            said = content(found, names, told, plant.model, date_time(now, record.zone))
            first, last = (f"{one.astimezone(record.zone):%Y-%m-%d}" for one in (wish.start, wish.end - _TICK))
            whose = wish.tenant or plant.model.id
            whose = "-".join(filter(None, (whose, wish.area, wish.position)))
            name = f"alarms-{whose}-{first}-{last}-{language}.{form}"
            title = _("Alarm performance, {whose}, {first} to {last}").format(whose=said.whose, first=first, last=last)
            return Report(name, title, to_pdf(said) if form is Form.PDF else to_excel(said))

    return await asyncio.to_thread(made)


async def store(documents: Documents, viewer: User, report: Report, tenant: str | None, *, address: str = "") -> int:
    """Keep a report among the documents; one on the same period becomes its next version. The document's id."""
    same = await documents.of(viewer, KIND, report.name, limit=1)
    incoming = Incoming(report.name, _parts(report.content), len(report.content))
    if same:
        stored = await documents.add_version(viewer, same[0].document.id, incoming, address=address)
        return stored.version.document_id
    filing = Filing(report.title, (LABEL,), None, tenant, [Subject(KIND, report.name, report.title)])
    return (await documents.upload(viewer, incoming, filing, address=address)).version.document_id


async def kept(documents: Documents, viewer: User) -> list[Listed]:
    """The reports that the viewer may read, newest first."""
    found, _total = await documents.find(viewer, DocumentWish(text=LABEL, limit=_MOST_LISTED))
    return [one for one in found if LABEL in one.document.labels]


async def _parts(content: bytes) -> AsyncIterator[bytes]:
    yield content
