"""Reports on performance: made here for the period in view, and those that are kept."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from nicegui import ui

from athanor.apps.alarms.services import report_making
from athanor.apps.alarms.services.performance_record import Wish
from athanor.apps.alarms.services.report_making import Form
from athanor.kernel.database.database import Database
from athanor.kernel.documents.records import Listed
from athanor.kernel.documents.service import Documents
from athanor.kernel.errors import AthanorError
from athanor.kernel.identity.audit import record
from athanor.kernel.identity.user import User
from athanor.kernel.plant.running import RunningPlant
from athanor.web.components import Cell, Choice, Column, TablePage, TableQuery, Words, button, data_table, region
from athanor.web.components.data_table import Row, page_of
from athanor.web.formatting import date_time, number
from athanor.web.language import LANGUAGES, _, current_language

_MEDIA = {
    Form.PDF: "application/pdf",
    Form.EXCEL: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def report_card(
    documents: Documents, plant: RunningPlant, db: Database, viewer: User, wish: Wish, address: str
) -> None:
    """Reports to be made of the period in view, and the kept ones."""
    zone = ZoneInfo(plant.model.timezone)

    async def rows(query: TableQuery) -> TablePage:
        kept = await report_making.kept(documents, viewer)
        return page_of([_row(one, zone) for one in kept], query)

    async def make(form: Form, *, is_kept: bool) -> None:
        trouble.text = ""
        now = datetime.now(UTC)
        try:
            material = await report_making.gather(db, plant, wish)
            report = await report_making.make(material, form, language.value, now)
            if is_kept:
                owner = wish.tenant if viewer.tenant is None else viewer.tenant
                await report_making.store(documents, viewer, report, owner, address=address)
                await table.refresh()
                ui.notify(_("Kept: {name}").format(name=report.name))
                return
            async with db.session() as session:
                record(session, viewer.login, "alarms.report-exported", report.name, address=address)
        except AthanorError as error:
            trouble.text = str(error)
            return
        ui.download.content(report.content, report.name, _MEDIA[form])

    with region("ath-card", "section", aria_label=_("Reports")):
        with region("ath-card-head"):
            Words(_("Report on this period"), "h2")
        with region("ath-toolbar"):
            language: Choice[str] = Choice(
                _("Language"), dict(LANGUAGES), current_language(), lambda: None, name="language"
            )
            if viewer.may("alarms.export"):
                button("PDF", lambda: make(Form.PDF, is_kept=False), glyph="picture_as_pdf")
                button("Excel", lambda: make(Form.EXCEL, is_kept=False), glyph="table_view")
            if viewer.may("documents.edit"):
                button(_("Keep as PDF"), lambda: make(Form.PDF, is_kept=True), glyph="archive")
                button(_("Keep as Excel"), lambda: make(Form.EXCEL, is_kept=True), glyph="archive")
        trouble = Words("", "p", "ath-correct-trouble")
        table = data_table(
            rows,
            [
                Column("title", _("Kept report"), is_wide=True),
                Column("file", _("File")),
                Column("size", _("Size"), is_number=True),
                Column("made", _("Kept at")),
                Column("by", _("By")),
            ],
            caption=_("Kept reports"),
            nothing=_("None yet. On the first of each month one on the month before is kept by itself."),
            page_size=25,
            is_searchable=False,
        )
    ui.timer(0, table.refresh, once=True)


def _row(one: Listed, zone: ZoneInfo) -> Row:
    content = f"/api/v1/documents/{one.document.id}/content"
    return {
        "title": Cell(one.document.title, address=f"/documents/{one.document.id}"),
        "file": Cell(one.newest.file_name, address=content),
        "size": Cell(f"{number(one.newest.size / 1000)} kB", sort=one.newest.size),
        "made": Cell(date_time(one.newest.made_at, zone), sort=one.newest.made_at.timestamp()),
        "by": one.newest.made_by,
    }
