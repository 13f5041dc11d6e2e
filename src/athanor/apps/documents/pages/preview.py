"""A file as far as the browser can show it without running anything that is in it."""

from athanor.apps.documents.domain.sizes import size_text
from athanor.apps.documents.pages.wording import scan_text, type_text
from athanor.kernel.documents.contents import CSV, PDF, SHOWN_AS_TEXT, SHOWN_INLINE, rows_of_head, text_of_head
from athanor.kernel.documents.service import Documents
from athanor.kernel.documents.tables import Scan, VersionRow
from athanor.kernel.errors import AthanorError
from athanor.kernel.identity.user import User
from athanor.web.components import Words, empty_state, error_card, icon, link, region, status
from athanor.web.language import _

_ROWS, _LINES, _COLUMNS = 20, 60, 30


def content_address(version: VersionRow) -> str:
    """Where a version is downloaded."""
    return f"/api/v1/documents/{version.document_id}/versions/{version.number}/content"


async def preview_card(documents: Documents, viewer: User, version: VersionRow) -> None:
    """The newest version, or why it is not shown."""
    with region("ath-card", "section", aria_label=_("Preview")):
        with region("ath-card-head"):
            Words(version.file_name, "h2").describe(version.file_name)
            region("ath-space")
            Words(f"{type_text(version.media_type)} · {size_text(version.size)}", "span", "ath-summary")
            if version.scan not in (Scan.PENDING, Scan.INFECTED):
                with link("", content_address(version), "ath-button") as download:
                    icon("download")
                    Words(_("Download"))
                download.props["download"] = version.file_name
        if version.scan in (Scan.PENDING, Scan.INFECTED):
            _held_back(version, viewer)
            return
        try:
            await _show(documents, viewer, version)
        except AthanorError as error:
            error_card(error)


def _held_back(version: VersionRow, viewer: User) -> None:
    with region("ath-card-body"):
        status(*scan_text(version))
        if version.scan == Scan.INFECTED:
            Words(_("Nobody can open this file. Upload a clean version, or remove the document."), "p")
            return
        Words(_("It can be opened once it has been searched for viruses, usually within a minute."), "p")
        if viewer.may("documents.administer"):
            address = f"{content_address(version)}?quarantined=true"
            link(_("Download from quarantine; this is recorded"), address)


async def _show(documents: Documents, viewer: User, version: VersionRow) -> None:
    address = f"{content_address(version)}?inline=true"
    if version.media_type == PDF:
        region("ath-preview-frame", "iframe", src=address, title=version.file_name, loading="lazy")
    elif version.media_type in SHOWN_INLINE:
        with region("ath-preview-picture"):
            region("", "img", src=address, alt=version.file_name, loading="lazy")
    elif version.media_type in SHOWN_AS_TEXT:
        await documents.open(viewer, version.document_id, version.number)
        _show_text(await documents.head(version), version)
    else:
        empty_state(_("No preview of this type"), _("Download it to open it."), glyph="description")


def _show_text(head: bytes, version: VersionRow) -> None:
    text = text_of_head(head) or ""
    rows = rows_of_head(text, _ROWS) if version.media_type == CSV else []
    if rows:
        with region("ath-table-scroll"), region("ath-table ath-raw", "table", aria_label=_("First rows")):
            with region(tag="thead"), region(tag="tr"):
                for cell in rows[0][:_COLUMNS]:
                    Words(cell[:200], "th")
            with region(tag="tbody"):
                for row in rows[1:]:
                    with region(tag="tr"):
                        for cell in row[:_COLUMNS]:
                            Words(cell[:200], "td")
    else:
        Words("\n".join(text.splitlines()[:_LINES]), "pre", "ath-preview-text")
    if version.size > len(head) or len(rows) == _ROWS or len(text.splitlines()) > _LINES:
        with region("ath-form-foot"):
            Words(_("The beginning of the file."), "p", "ath-summary")
