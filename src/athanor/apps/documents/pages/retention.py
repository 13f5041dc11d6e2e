"""How long documents are kept, and what the next sweep removes."""

from zoneinfo import ZoneInfo

from nicegui import ui

from athanor.apps.documents.domain.sizes import size_text
from athanor.apps.documents.pages import wording
from athanor.kernel.documents.records import RESTORED_WITHIN
from athanor.kernel.documents.service import Documents
from athanor.kernel.documents.upkeep import Swept
from athanor.kernel.identity.user import User
from athanor.kernel.plant.running import RunningPlant
from athanor.web.components import (
    Cell,
    Column,
    Dialog,
    Said,
    Words,
    button,
    data_table,
    dialog_form,
    empty_state,
    link,
    page_title,
    region,
)
from athanor.web.components.data_table import Row
from athanor.web.formatting import number
from athanor.web.language import _


async def retention_page(plant: RunningPlant, documents: Documents, viewer: User) -> None:
    """The classes, and the documents that would go now."""
    with page_title(_("Retention of documents")):
        region("ath-space")
        link(_("Documents"), "/documents", "ath-button")
    if not documents.rules.retention_days:
        empty_state(
            _("Documents are kept for ever"),
            _("Classes with days in the settings, below [files] as retention_days, let documents go by themselves."),
            glyph="all_inclusive",
        )
        return
    _classes(documents)
    zone = ZoneInfo(plant.model.timezone)
    going = await documents.expired(viewer)
    rows: list[Row] = [
        {
            "title": Cell(one.document.title, address=f"/documents/{one.document.id}"),
            "class": one.document.retention or "",
            "size": Cell(size_text(one.newest.size), sort=float(one.newest.size)),
            "changed": wording.day(one.document.changed_at, zone),
        }
        for one in going
    ]
    columns = [
        Column("title", _("Title"), is_wide=True),
        Column("class", _("Class")),
        Column("size", _("Size"), is_number=True),
        Column("changed", _("Changed")),
    ]
    with region("ath-card", "section"):
        data_table(
            rows,
            columns,
            caption=_("What the next sweep removes"),
            nothing=_("Nothing goes now."),
            export_name="documents-that-go",
        )
        if rows and viewer.tenant is None:
            dialog = Dialog()
            with region("ath-form-foot"):
                button(_("Let them go now…"), lambda: _ask(dialog, documents, viewer, len(rows)))


def _classes(documents: Documents) -> None:
    days = _("{n} days after its newest version")
    rows: list[Row] = [
        {"class": name, "days": Cell(days.format(n=number(length)), sort=float(length))}
        for name, length in documents.rules.retention_days.items()
    ]
    with region("ath-card", "section"):
        data_table(
            rows,
            [Column("class", _("Class")), Column("days", _("A document goes"))],
            caption=_("Classes"),
            is_searchable=False,
        )


def _ask(dialog: Dialog, documents: Documents, viewer: User, count: int) -> None:
    async def sweep(_said: Said) -> None:
        swept = await documents.sweep(viewer)
        _tell(dialog, swept)

    with (
        dialog.filling(_("Let documents go")),
        dialog_form(sweep, _("Remove {n}").format(n=count), on_cancel=dialog.close),
    ):
        text = _("They can be restored for {n} days, by whoever may edit documents. Then they are deleted for good.")
        Words(text.format(n=RESTORED_WITHIN.days), "p")


def _tell(dialog: Dialog, swept: Swept) -> None:
    text = _("{retired} were removed; {purged} that had been removed long ago are deleted for good.")
    with dialog.filling(_("Done")):
        Words(text.format(retired=swept.retired, purged=swept.purged), "p")
        with region("ath-dialog-foot"):
            button(_("Go on"), ui.navigate.reload, classes="is-main")
