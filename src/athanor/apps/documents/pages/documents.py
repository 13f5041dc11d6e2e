"""The documents: uploaded, searched, listed."""

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import Request

from athanor.apps.documents.domain.sizes import size_text
from athanor.apps.documents.pages import wording
from athanor.apps.documents.pages.files_drop import FilesDrop
from athanor.kernel.documents.records import Kind, Listed, Wish
from athanor.kernel.documents.service import Documents
from athanor.kernel.documents.tables import Scan
from athanor.kernel.identity.user import User
from athanor.kernel.plant.running import RunningPlant
from athanor.web.components import (
    Cell,
    Choice,
    Column,
    TablePage,
    TableQuery,
    Words,
    data_table,
    empty_state,
    link,
    page_title,
    region,
)
from athanor.web.components.data_table import Row
from athanor.web.formatting import NOTHING
from athanor.web.language import _, text_of

_ALL, _USED, _REMOVED = "all", "used", "removed"
_PARK = ""


async def documents_page(request: Request, plant: RunningPlant, documents: Documents, viewer: User) -> None:
    """Every document that the viewer may see; `?asset=PATH` for those of an asset and all below it."""
    asset = request.query_params.get("asset") or None
    node = plant.model.nodes.get(asset or "")
    with page_title(_("Documents"), text_of(node.name) if node else (asset or "")):
        region("ath-space")
        if asset:
            link(_("All documents"), "/documents", "ath-button")
        if viewer.may("documents.administer"):
            link(_("Retention"), "/documents/retention", "ath-button")
    _any, total = await documents.find(viewer, Wish(limit=1))
    page = DocumentsPage(plant, documents, viewer, asset, has_any=total > 0)
    page.build()


class DocumentsPage:
    """The list and what narrows it."""

    def __init__(
        self, plant: RunningPlant, documents: Documents, viewer: User, asset: str | None, *, has_any: bool
    ) -> None:
        self._plant, self._documents, self._viewer, self._asset = plant, documents, viewer, asset
        self._has_any = has_any
        self._zone = ZoneInfo(plant.model.timezone)

    def build(self) -> None:
        """Draw it."""
        if self._viewer.may("documents.edit"):
            self._upload_card()
        self._nothing = region()
        with self._nothing:
            self._say_empty()
        self._card = region("ath-card", "section")
        with self._card:
            self._list()
        self._show_list(is_shown=self._has_any or self._asset is not None)

    def _say_empty(self) -> None:
        may_edit = self._viewer.may("documents.edit")
        text = _("Drop drawings, manuals, photos or records above; each keeps all its versions.")
        empty_state(_("No documents yet"), text if may_edit else _("Nobody has uploaded any yet."), glyph="folder_open")

    def _show_list(self, *, is_shown: bool) -> None:
        self._card.set_visibility(is_shown)
        self._nothing.set_visibility(not is_shown)

    # ---- uploading

    def _upload_card(self) -> None:
        with region("ath-card", "section", aria_label=_("Upload")):
            if self._viewer.tenant is None:
                with region("ath-actions"):
                    self._owner_choice()
            self._drop = FilesDrop(
                "/api/v1/documents",
                most_bytes=self._documents.rules.most_bytes,
                is_many=True,
                query=self._query(_PARK),
                on_sent=self._sent,
            )

    def _owner_choice(self) -> None:
        model = self._plant.model
        options = {_PARK: _("of the asset") if self._asset else text_of(model.name)}
        options |= {tenant.id: text_of(tenant.name) for tenant in model.tenants.values()}
        self._owner = Choice(
            _("Belongs to"), options, _PARK, lambda: self._drop.ask(self._query(self._owner.value)), name="owner"
        )

    def _query(self, tenant: str) -> Mapping[str, str]:
        wished = {"tenant": tenant, "asset": self._asset or ""}
        return {name: value for name, value in wished.items() if value}

    async def _sent(self, _answer: Mapping[str, Any]) -> None:
        self._show_list(is_shown=True)
        await self._table.refresh()

    # ---- the list

    def _list(self) -> None:
        kinds = {_ALL: _("All types")} | {str(kind): text for kind, text in wording.kinds().items()}
        states = {_USED: _("In use"), _REMOVED: _("Removed")}
        with region("ath-actions"):
            self._kind = Choice(_("Type"), kinds, _ALL, self._refresh, name="kind")
            self._state = Choice(_("State"), states, _USED, self._refresh, name="state")
            if self._asset:
                Words(_("Documents of this asset and all below it"), "span", "ath-summary")
        self._table = data_table(
            self._page,
            self._columns(),
            caption=_("Documents"),
            nothing=_("No document has all these words, or is of this type."),
            export_name="documents",
            on_export=self._note_export,
        )

    def _columns(self) -> list[Column]:
        columns = [
            Column("title", _("Title"), is_wide=True),
            Column("about", _("About"), is_sortable=False),
            Column("type", _("Type")),
            Column("size", _("Size"), is_number=True),
            Column("version", _("Version"), is_number=True, is_sortable=False),
            Column("person", _("Uploaded by")),
            Column("changed", _("Changed")),
        ]
        if self._viewer.tenant is None:
            columns.insert(2, Column("owner", _("Belongs to"), is_sortable=False))
        return columns

    async def _note_export(self, rows: int) -> None:
        await self._documents.note_export(self._viewer, rows)

    def _refresh(self) -> None:
        self._table.run_method("askFrom", 0)

    async def _page(self, query: TableQuery) -> TablePage:
        kind = None if self._kind.value == _ALL else Kind(self._kind.value)
        wish = Wish(
            text=query.text,
            asset=self._asset,
            kind=kind,
            is_removed=self._state.value == _REMOVED,
            sort=query.sort or "changed",
            is_descending=query.is_descending if query.sort else True,
            offset=query.offset,
            limit=query.limit,
        )
        found, total = await self._documents.find(self._viewer, wish)
        return TablePage([self._row(one) for one in found], total)

    def _row(self, one: Listed) -> Row:
        document, newest = one.document, one.newest
        is_held = newest.scan in (Scan.PENDING, Scan.INFECTED)
        scan, state = wording.scan_text(newest)
        notes = [newest.file_name if newest.file_name != document.title else "", ", ".join(document.labels)]
        return {
            "title": Cell(
                document.title,
                note=" · ".join(note for note in notes if note),
                address=f"/documents/{document.id}",
            ),
            "about": wording.about_text(self._plant, one.links) or NOTHING,
            "owner": wording.owner_text(self._plant, document.tenant),
            "type": Cell(wording.type_text(newest.media_type), note=scan if is_held else "", state=str(state)),
            "size": size_text(newest.size),
            "version": str(newest.number),
            "person": newest.made_by,
            "changed": wording.minute(document.changed_at, self._zone),
        }
