"""Reports on performance are made, kept among the documents and found again: by hand, and once a month."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from athanor.apps.alarms.domain.response import Spread
from athanor.apps.alarms.services.performance import Figures, figures
from athanor.apps.alarms.services.performance_names import Named, named, shown_alarms, told_after
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


@dataclass(frozen=True, slots=True)
class Material:
    """All that a report says, before it is put into words."""

    figures: Figures
    names: dict[int, Named]
    told: Spread
    plant: RunningPlant


async def gather(database: Database, plant: RunningPlant, wish: Wish) -> Material:
    """What there is to say of a period, cut to what the database's viewer may see."""
    record = await read(database, plant, wish)
    found = await asyncio.to_thread(figures, record)
    names = await named(database, plant.model, record, shown_alarms(found))
    return Material(found, names, await told_after(database, wish.start, wish.end), plant)


async def make(material: Material, form: Form, language: str, now: datetime) -> Report:
    """The report as a file, in a language."""
    return await asyncio.to_thread(_made, material, form, language, now)


def _made(material: Material, form: Form, language: str, now: datetime) -> Report:
    record, plant = material.figures.record, material.plant.model
    wish, zone = record.wish, record.zone
    with speaking(language):
        said = content(material.figures, material.names, material.told, plant, date_time(now, zone))
        first, last = (f"{one.astimezone(zone):%Y-%m-%d}" for one in (wish.start, wish.end - _TICK))
        whose = "-".join(filter(None, (wish.tenant or plant.id, wish.area, wish.position)))
        name = f"alarms-{whose}-{first}-{last}-{language}.{form}"
        title = _("Alarm performance, {whose}, {first} to {last}").format(whose=said.whose, first=first, last=last)
        return Report(name, title, to_pdf(said) if form is Form.PDF else to_excel(said))


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
