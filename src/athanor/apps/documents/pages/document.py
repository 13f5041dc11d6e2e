"""One document: what it looks like, how it is filed, what it is about, and its versions."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import Request
from nicegui import ui

from athanor.apps.documents import services
from athanor.apps.documents.pages import wording
from athanor.apps.documents.pages.asset_finder import AssetFinder
from athanor.apps.documents.pages.files_drop import FilesDrop
from athanor.apps.documents.pages.preview import preview_card
from athanor.apps.documents.pages.versions import versions_card
from athanor.kernel.documents.records import ASSET, RESTORED_WITHIN, Told
from athanor.kernel.documents.service import Documents
from athanor.kernel.documents.tables import LinkRow, Scan
from athanor.kernel.identity.user import User
from athanor.kernel.plant.running import RunningPlant
from athanor.web.components import (
    Dialog,
    Said,
    Words,
    button,
    dialog_form,
    form_choice,
    form_line,
    form_lines,
    icon,
    link,
    page_title,
    region,
    status,
)
from athanor.web.language import _
from athanor.web.live import every_second

_LOOK_EVERY = 3  # beats, while a version is in quarantine


async def document_page(
    document_id: int, request: Request, plant: RunningPlant, documents: Documents, viewer: User
) -> None:
    """A document of the viewer's tenant."""
    told = await documents.told(viewer, document_id)
    address = request.client.host if request.client else ""
    page = DocumentPage(told, plant, documents, viewer, address)
    await page.build()


class DocumentPage:
    """The page and what can be done on it."""

    def __init__(self, told: Told, plant: RunningPlant, documents: Documents, viewer: User, address: str) -> None:
        self._told, self._plant, self._documents, self._viewer = told, plant, documents, viewer
        self._address = address
        self._id = told.document.id
        self._zone = ZoneInfo(plant.model.timezone)
        self._may_edit = viewer.may("documents.edit") and told.document.removed_at is None
        self._beats = 0

    async def build(self) -> None:
        """Draw it."""
        self._title()
        if self._told.document.removed_at is not None:
            self._removed_notice(self._told.document.removed_at)
        await preview_card(self._documents, self._viewer, self._told.newest)
        self._dialog = Dialog()
        with region("ath-cards"):
            self._about_card()
            self._filing_card()
        versions_card(self._told, self._zone, self._go_back if self._may_edit else None, self._dialog)
        if any(version.scan == Scan.PENDING for version in self._told.versions):
            every_second(self._look)

    async def _look(self) -> None:
        """Show anew what has come out of quarantine."""
        self._beats += 1
        if self._beats % _LOOK_EVERY == 0:
            now = await self._documents.told(self._viewer, self._id)
            if [one.scan for one in now.versions] != [one.scan for one in self._told.versions]:
                ui.navigate.reload()

    def _title(self) -> None:
        with page_title(self._told.document.title):
            if self._told.newest.scan in (Scan.PENDING, Scan.INFECTED):
                status(*wording.scan_text(self._told.newest))
            region("ath-space")
            if self._may_edit:
                button(_("Upload a new version…"), self._ask_for_version, glyph="upload", classes="is-main")
                button(_("Change…"), self._ask_to_change)
                button(_("Remove…"), self._ask_to_remove)
            link(_("Documents"), "/documents", "ath-button")

    def _removed_notice(self, removed_at: datetime) -> None:
        document = self._told.document
        ends = wording.day(removed_at + RESTORED_WITHIN, self._zone)
        text = _("Removed by {who} on {day}: {reason}. It can be restored until {end}, then it is deleted.")
        with region("ath-card ath-notice is-warn", role="status"):
            icon("delete")
            with region():
                Words(
                    text.format(
                        who=document.removed_by,
                        day=wording.day(removed_at, self._zone),
                        reason=document.removal,
                        end=ends,
                    ),
                    "p",
                )
                if self._viewer.may("documents.edit"):
                    button(_("Restore"), self._restore)

    # ---- what it is about

    def _about_card(self) -> None:
        with region("ath-card", "section", aria_label=_("About")):
            with region("ath-card-head"):
                Words(_("About"), "h2")
                region("ath-space")
                if self._may_edit:
                    button(_("Tie to an asset…"), self._ask_for_asset, glyph="add", classes="is-plain")
            with region("ath-card-body"):
                if not self._told.links:
                    text = _("Nothing yet. Tied to an asset, it is found there, and by the asset's name.")
                    Words(text, "p", "ath-summary")
                for one in self._told.links:
                    self._subject(one)

    def _subject(self, one: LinkRow) -> None:
        name = wording.subject_text(self._plant, one)
        with region("ath-chosen-row"):
            with region("name", "span", title=one.subject):
                if one.kind == ASSET:
                    link(name, f"/documents?asset={one.subject}")
                    Words(one.subject, "small")
                else:
                    Words(name)
                    Words(one.kind, "small")
            if self._may_edit:
                text = _("Untie {subject}").format(subject=name)
                button(text, lambda: self._untie(one), glyph="close", classes="is-icon is-plain")

    def _ask_for_asset(self) -> None:
        async def tie(path: str) -> None:
            await services.tie_to_asset(
                self._documents, self._plant, self._viewer, self._id, path, address=self._address
            )
            ui.navigate.reload()

        with self._dialog.filling(_("Tie to an asset")):
            AssetFinder(self._plant, tie)

    async def _untie(self, one: LinkRow) -> None:
        await self._documents.untie(self._viewer, self._id, one.kind, one.subject, address=self._address)
        ui.navigate.reload()

    # ---- how it is filed

    def _filing_card(self) -> None:
        document, newest = self._told.document, self._told.newest
        kept = document.retention or _("for ever")
        if self._told.goes_at is not None:
            kept = _("{name}, until {day}").format(
                name=document.retention, day=wording.day(self._told.goes_at, self._zone)
            )
        facts = (
            (_("Labels"), ", ".join(document.labels) or _("none")),
            (_("Kept"), kept),
            (_("Belongs to"), wording.owner_text(self._plant, document.tenant)),
            (_("Uploaded"), f"{wording.minute(document.made_at, self._zone)}, {document.made_by}"),
            (_("Changed"), f"{wording.minute(document.changed_at, self._zone)}, {newest.made_by}"),
        )
        with region("ath-card", "section", aria_label=_("Filing")):
            with region("ath-card-head"):
                Words(_("Filing"), "h2")
            with region("ath-card-body"), region("ath-facts", "dl"):
                for name, value in facts:
                    Words(name, "dt")
                    Words(value, "dd")
                Words("SHA-256", "dt")
                Words(newest.sha256, "dd").style("font-size: 12px")

    def _ask_to_change(self) -> None:
        document = self._told.document
        classes = {"": _("for ever")} | {
            name: _("{name}: {n} days after its newest version").format(name=name, n=days)
            for name, days in self._documents.rules.retention_days.items()
        }

        async def change(said: Said) -> None:
            labels = said.get("labels", "").replace("，", ",").replace("、", ",").split(",")
            await self._documents.change(
                self._viewer,
                self._id,
                title=said.get("title", ""),
                labels=labels,
                retention=said.get("retention"),
                address=self._address,
            )
            ui.navigate.reload()

        with self._dialog.filling(_("Change")), dialog_form(change, _("Save"), on_cancel=self._dialog.close):
            form_line(_("Title"), "title", document.title)
            form_line(_("Labels, parted by commas"), "labels", ", ".join(document.labels))
            form_choice(_("Kept"), "retention", classes, document.retention or "")

    def _ask_to_remove(self) -> None:
        async def remove(said: Said) -> None:
            await self._documents.remove(self._viewer, self._id, reason=said.get("reason", ""), address=self._address)
            ui.navigate.reload()

        with (
            self._dialog.filling(_("Remove the document")),
            dialog_form(remove, _("Remove"), on_cancel=self._dialog.close),
        ):
            text = _("All its versions go. It can be restored for {n} days, then it is deleted for good.")
            Words(text.format(n=RESTORED_WITHIN // timedelta(days=1)), "p")
            form_lines(_("Reason"), "reason")

    async def _restore(self) -> None:
        await self._documents.restore(self._viewer, self._id, address=self._address)
        ui.navigate.reload()

    # ---- versions

    def _ask_for_version(self) -> None:
        async def sent(_answer: Mapping[str, Any]) -> None:
            ui.navigate.reload()

        with self._dialog.filling(_("Upload a new version")):
            FilesDrop(
                f"/api/v1/documents/{self._id}/versions",
                most_bytes=self._documents.rules.most_bytes,
                is_many=False,
                has_comment=True,
                on_sent=sent,
            )

    async def _go_back(self, number: int) -> None:
        await self._documents.go_back(self._viewer, self._id, number, address=self._address)
        ui.navigate.reload()
